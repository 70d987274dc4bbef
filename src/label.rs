//! The list of labels: key, group, meaning, a near miss and the Perspective attribute that comes closest. Everything else reads it.
//!
//! Keys never change their meaning and are never removed. A model may hold labels that are not here (those of the rows it was
//! trained on); they are scored like the others and have no text of their own.

/// What a label is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// How it is said: tone, attacks, harm to people as members of a group.
    Incivility,
    /// How the case is made.
    Rhetoric,
}

/// One label of the product. Its scale is a probability, 0 to 1.
#[derive(Debug, Clone, Copy)]
pub struct Label {
    /// Name in every record, lower snake case.
    pub key: &'static str,
    /// What it is about.
    pub group: Group,
    /// When it holds.
    pub meaning: &'static str,
    /// A comment that has it.
    pub example: &'static str,
    /// The Perspective attribute that comes closest.
    pub perspective: Option<&'static str>,
    /// What the context step may use beside the comment's own words.
    pub context: Context,
}

/// How much of the thread a label may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// The comment's own words alone: nobody is marked for what another wrote.
    Alone,
    /// Also how the comment relates to its parent (overlap, quotes, cues).
    Relation,
}

const fn label(
    key: &'static str,
    group: Group,
    context: Context,
    perspective: Option<&'static str>,
    meaning: &'static str,
    example: &'static str,
) -> Label {
    Label { key, group, meaning, example, perspective, context }
}

use Context::{Alone, Relation};
use Group::{Incivility, Rhetoric};

/// All labels of the product, incivility first.
#[rustfmt::skip]
pub const LABELS: &[Label] = &[
    label("incivility", Incivility, Alone, None, "uncivil in tone as a moderator sees it: name-calling, contempt, vulgarity aimed at someone", "Typical drivel from a man who cannot even read a map."),
    label("toxicity", Incivility, Alone, Some("TOXICITY"), "rude, disrespectful or unreasonable; likely to make people leave the discussion", "Nobody asked you, clown. Go crawl back under your bridge."),
    label("severe_toxicity", Incivility, Alone, Some("SEVERE_TOXICITY"), "very hateful or aggressive; insensitive to friendly swearing", "You people are filth and I hope every one of you suffers."),
    label("insult", Incivility, Alone, Some("INSULT"), "demeaning name or put-down aimed at a person or a group of persons", "Typical of a brain-dead hack like the mayor."),
    label("profanity", Incivility, Alone, Some("PROFANITY"), "swear or obscene words, with or without a target", "That was a bloody f***ing mess."),
    label("threat", Incivility, Alone, Some("THREAT"), "intention or wish of pain, injury or violence", "Say that on my street and you won't walk home."),
    label("identity_attack", Incivility, Alone, Some("IDENTITY_ATTACK"), "hateful or demeaning toward people because of who they are", "Send every last one of them back, they are all thieves."),
    label("sexism", Incivility, Alone, None, "hostility or prejudice toward people for their sex or gender", "Women can't be trusted to drive a tram."),
    label("attack_on_commenter", Incivility, Relation, Some("ATTACK_ON_COMMENTER"), "hostile act against another participant of the thread", "Did you even finish school, Kelvin?"),
    label("attack_on_author", Incivility, Alone, Some("ATTACK_ON_AUTHOR"), "hostile act against the article's author or outlet", "This reporter is a paid stooge, as always."),
    label("aspersion", Incivility, Alone, None, "an idea, plan or act disparaged in mean-spirited terms", "This idiotic excuse for a bus plan was scribbled by toddlers."),
    label("accusation_of_lying", Incivility, Alone, None, "states or implies that someone is dishonest", "She is lying through her teeth and she knows it."),
    label("pejorative_for_speech", Incivility, Alone, None, "belittles the way another speaks", "Quit your whining and pearl-clutching."),
    label("dismissive", Incivility, Alone, None, "brushes the other off without engaging", "lol ok sure, whatever you say."),
    label("condescending", Incivility, Alone, None, "talks down, patronising", "Let me put it in words even you can follow."),
    label("ad_hominem", Rhetoric, Relation, None, "attacks who argues instead of the argument", "Easy for a rich kid to say."),
    label("whataboutism", Rhetoric, Alone, None, "answers a charge by pointing at another's fault", "And where was this outrage when YOUR side did it?"),
    label("straw_man", Rhetoric, Relation, None, "attacks a distorted version of what was said", "So you want to close every hospital, got it."),
    label("hasty_generalization", Rhetoric, Alone, Some("GENERALIZATION_EXPERIMENTAL"), "all or most members of a group judged from a few", "Landlords? Every one a parasite."),
    label("appeal_to_authority", Rhetoric, Alone, None, "rests the case on somebody's standing rather than on reasons", "My uncle was a general, so the war was right."),
    label("appeal_to_emotion", Rhetoric, Alone, None, "moves by pity, fear or pride in place of reasons", "Think of the crying children before you vote."),
    label("sarcasm", Rhetoric, Alone, None, "says the opposite of what is meant, to mock", "Wow, a whole bench. Truly the future has arrived."),
    label("rhetorical_question", Rhetoric, Alone, None, "a question that asserts", "Who needs clean water anyway?"),
    label("constructive", Rhetoric, Alone, Some("CONSTRUCTIVE_EXPERIMENTAL"), "gives reasons, evidence or a proposal, civilly", "Two fixes: widen the gate and move the stop 40 m."),
];

/// The classes of stance toward the parent (SDQC; Gorrell et al. 2019, `RumourEval`, re-read for comments).
pub const PARENT_STANCES: [&str; 4] = ["support", "deny", "query", "comment"];

/// The classes of stance toward a target (Mohammad et al. 2016, SemEval-2016 task 6).
pub const TARGET_STANCES: [&str; 3] = ["favor", "against", "none"];

/// The label named `key`, if the product knows it.
pub fn find(key: &str) -> Option<&'static Label> {
    LABELS.iter().find(|l| l.key == key)
}
