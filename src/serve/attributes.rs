//! The attributes that Perspective knows, and which labels of ours they ask for.

use std::collections::HashMap;

use crate::model::Model;

/// Attribute and label, of the same meaning. Where no model has the label, the attribute is known and not given. Attributes that are merely
/// near to a label of ours (`INFLAMMATORY`, `UNSUBSTANTIAL`) ask for labels of their own: a number for something else would be invented.
#[rustfmt::skip]
const KNOWN: &[(&str, &str)] = &[
    ("TOXICITY", "toxicity"), ("TOXICITY_EXPERIMENTAL", "toxicity"), ("TOXICITY_FAST", "toxicity"),
    ("SEVERE_TOXICITY", "severe_toxicity"), ("SEVERE_TOXICITY_EXPERIMENTAL", "severe_toxicity"),
    ("IDENTITY_ATTACK", "identity_attack"), ("IDENTITY_ATTACK_EXPERIMENTAL", "identity_attack"),
    ("INSULT", "insult"), ("INSULT_EXPERIMENTAL", "insult"),
    ("PROFANITY", "profanity"), ("PROFANITY_EXPERIMENTAL", "profanity"), ("OBSCENE", "profanity"),
    ("THREAT", "threat"), ("THREAT_EXPERIMENTAL", "threat"),
    ("SEXUALLY_EXPLICIT", "sexually_explicit"), ("FLIRTATION", "flirtation"),
    ("ATTACK_ON_AUTHOR", "attack_on_author"), ("ATTACK_ON_PUBLISHER", "attack_on_author"),
    ("ATTACK_ON_COMMENTER", "attack_on_commenter"),
    ("INCOHERENT", "incoherent"), ("INFLAMMATORY", "inflammatory"), ("LIKELY_TO_REJECT", "likely_to_reject"),
    ("OFF_TOPIC", "off_topic"), ("SPAM", "spam"), ("UNSUBSTANTIAL", "unsubstantial"),
    ("AFFINITY_EXPERIMENTAL", "affinity"), ("COMPASSION_EXPERIMENTAL", "compassion"),
    ("CONSTRUCTIVE_EXPERIMENTAL", "constructive"), ("CURIOSITY_EXPERIMENTAL", "curiosity"),
    ("NUANCE_EXPERIMENTAL", "nuance"), ("PERSONAL_STORY_EXPERIMENTAL", "personal_story"),
    ("REASONING_EXPERIMENTAL", "constructive"), ("RESPECT_EXPERIMENTAL", "respect"),
    ("ALIENATION_EXPERIMENTAL", "alienation"), ("FEARMONGERING_EXPERIMENTAL", "appeal_to_fear"),
    ("GENERALIZATION_EXPERIMENTAL", "hasty_generalization"), ("MORAL_OUTRAGE_EXPERIMENTAL", "moral_outrage"),
    ("POWER_APPEAL_EXPERIMENTAL", "power_appeal"), ("SCAPEGOATING_EXPERIMENTAL", "scapegoating"),
];

/// An attribute that Perspective knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// The label of the same meaning.
    pub label: &'static str,
    /// The number of that label in the model, if the model has it.
    pub head: Option<usize>,
}

/// The attributes that a model gives, and those that it does not.
#[derive(Debug, Clone)]
pub struct Attributes(HashMap<&'static str, Attribute>);

impl Attributes {
    /// What `model` makes of them.
    pub fn of(model: &Model) -> Self {
        let attribute = |&(name, label)| (name, Attribute { name, label, head: model.label(label) });
        Self(KNOWN.iter().map(attribute).collect())
    }

    /// The attribute of a name, if Perspective knows it.
    pub fn find(&self, name: &str) -> Option<Attribute> {
        self.0.get(name).copied()
    }

    /// All of them, in the order of the contract.
    pub fn all(&self) -> impl Iterator<Item = Attribute> {
        KNOWN.iter().filter_map(|(name, _)| self.find(name))
    }
}

#[cfg(test)]
mod tests {
    use super::KNOWN;
    use crate::label::LABELS;

    #[test]
    fn the_aliases_of_our_labels_are_attributes_of_perspective() {
        for label in LABELS {
            let known =
                label.perspective.map(|alias| KNOWN.iter().find(|(name, _)| *name == alias).map(|(_, key)| *key));
            assert!(known.is_none_or(|key| key == Some(label.key)), "{}", label.key);
        }
    }
}
