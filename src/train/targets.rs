//! Training stance toward targets: heads for any target, own heads of targets with enough rows, and the last steps with what they are
//! worth out of fold.

use std::collections::{BTreeSet, HashMap};

use super::fit::Run;
use super::gather::ClassRows;
use super::heads::{Blocks, Head, Shared};
use super::own_targets::Fitted;
use super::pairs::Parting;
use super::plan::Plan;
use super::recipe::Settings;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::error::Result;
use crate::features::pair::Sensing;
use crate::features::vectors::Vectors;
use crate::label::TARGET_STANCES;
use crate::model::asked::AskedTarget;
use crate::model::multinomial::likeliest;
use crate::model::target::{AnyTarget, PairHead, Target, TargetStance, Trust, beside_inputs, step_inputs};
use crate::text::targets::NamedTarget;

/// Out-of-fold logits of the heads for any target.
struct Any {
    side: Vec<f64>,
    about: Option<Vec<f64>>,
    /// Rows of targets that the heads were not fitted on either.
    unseen: Vec<bool>,
}

/// The first column of the heads that look at what is said beside names, and their out-of-fold logits of the rows that have one.
type Beside = (usize, Vec<Option<Vec<f32>>>);

impl Any {
    fn inputs(&self, i: usize, own: &[f32]) -> Vec<f32> {
        step_inputs(own, self.side[i] as f32, self.about.as_ref().map(|z| z[i] as f32))
    }
}

impl Run<'_> {
    /// Stance toward targets.
    pub(super) fn targets(
        &mut self,
        plan: &Plan<'_>,
        shared: &Shared,
        vectors: Option<&Vectors>,
        heads: &mut Vec<Head>,
    ) -> Result<Option<TargetStance>> {
        if !plan.stance {
            return Ok(None);
        }
        let rows = &self.data.stance;
        let of_target = |target: &str| (0..rows.rows.len()).filter(|&i| self.data.targets[i] == target).collect();
        let own_places: Vec<Vec<usize>> = plan.own_targets.iter().map(|target| of_target(target)).collect();
        self.step("stance toward any target")?;
        let (about, side, any) = self.any_target(shared, vectors, heads)?;
        let beside = self.beside(shared, heads)?;
        let mut predicted: HashMap<usize, usize> = HashMap::new();
        let mut fitted = Vec::new();
        for (target, places) in plan.own_targets.iter().zip(own_places) {
            self.step(&format!("stance toward {target}"))?;
            let what = format!("stance toward {target}");
            let settings = self.own_settings(places.len());
            let part = rows.part(&places);
            let (first_column, logits) = self.class_heads(shared, &what, &part, Blocks::Text, &settings, heads)?;
            let of_row = |(k, &i): (usize, &usize)| {
                let own: Vec<f32> = logits.iter().map(|z| z[k] as f32).collect();
                let named = |(_, of_rows): &Beside| beside_inputs(of_rows[i].as_deref(), rows.classes.len());
                any.inputs(i, &own).into_iter().chain(beside.iter().flat_map(named)).collect()
            };
            let inputs = places.iter().enumerate().map(of_row).collect();
            fitted.push(Fitted { name: target, first_column, places, part, inputs });
        }
        let mut own = Vec::new();
        for (target, p) in self.own_targets(shared, &fitted)?.into_iter().zip(&fitted) {
            let (target, said) = target;
            predicted.extend(p.places.iter().zip(&said).map(|(&i, p)| (i, likeliest(p))));
            own.push(target);
        }
        // The step for any target is measured on the targets that have no own heads, fitted on all.
        let unseen: Vec<usize> = (0..rows.rows.len()).filter(|&i| any.unseen[i]).collect();
        let inputs: Vec<Vec<f32>> = unseen.iter().map(|&i| any.inputs(i, &[])).collect();
        let part = rows.part(&unseen);
        let (step, p) = self.decisive_step(shared, &part, &inputs)?;
        let trust = trust(&p, &part.truth, self.settings.precision);
        for (&i, p) in unseen.iter().zip(&p) {
            predicted.entry(i).or_insert_with(|| likeliest(p));
        }
        let (places, predicted): (Vec<usize>, Vec<usize>) = predicted.into_iter().unzip();
        let names = self.data.targets.iter().collect::<BTreeSet<_>>().len();
        Ok(Some(TargetStance {
            classes: rows.classes.clone(),
            any: AnyTarget { about, side, step, targets: names, trust },
            own,
            beside: beside.map(|(column, _)| column),
            rows: rows.rows.len(),
            macro_f1_out_of_fold: self.macro_f1_of(&rows.part(&places), &predicted),
        }))
    }

    /// The heads that look at what is said beside names, if enough rows have one: the first column, and the out-of-fold logits of each row
    /// that has one.
    fn beside(&self, shared: &Shared, heads: &mut Vec<Head>) -> Result<Option<Beside>> {
        let rows = &self.data.stance;
        let places: Vec<usize> = (0..rows.rows.len()).filter(|&i| self.data.beside[i].is_some()).collect();
        if places.len() < FEWEST_NAMED {
            return Ok(None);
        }
        let mut part = rows.part(&places);
        part.rows = places.iter().filter_map(|&i| self.data.beside[i]).collect();
        let settings = Settings { l2_stance: self.settings.l2_own, ..self.settings.clone() };
        let what = "stance beside names";
        let (first, logits) = self.class_heads(shared, what, &part, Blocks::ReplyText, &settings, heads)?;
        let mut out = vec![None; rows.rows.len()];
        for (k, &i) in places.iter().enumerate() {
            out[i] = Some(logits.iter().map(|z| z[k] as f32).collect());
        }
        Ok(Some((first, out)))
    }

    /// The heads for any target: whether a text takes a side, where rows tell, and which one.
    fn any_target(
        &self,
        shared: &Shared,
        vectors: Option<&Vectors>,
        heads: &mut Vec<Head>,
    ) -> Result<(Option<PairHead>, PairHead, Any)> {
        let rows = &self.data.stance;
        let pairs = self.pairs(shared, vectors, rows, self.target_folds());
        let unseen =
            pairs.unseen().into_iter().zip(&rows.rows).map(|(unseen, &row)| unseen || self.is_held_out(row)).collect();
        let class = |name: &str| rows.classes.iter().position(|c| c == name);
        let (first, none) = (class(TARGET_STANCES[0]).unwrap_or_default(), class(TARGET_STANCES[2]));
        let truth: Vec<Option<bool>> = rows.truth.iter().map(|&t| (Some(t) != none).then_some(t == first)).collect();
        let (side, side_logits) = self.pair_head(shared, &pairs, rows, &truth, heads)?;
        let Some(none) = none else {
            return Ok((None, side, Any { side: side_logits, about: None, unseen }));
        };
        let truth: Vec<Option<bool>> = rows.truth.iter().map(|&t| Some(t != none)).collect();
        let (about, about_logits) = self.pair_head(shared, &pairs, rows, &truth, heads)?;
        Ok((Some(about), side, Any { side: side_logits, about: Some(about_logits), unseen }))
    }

    /// The fewer examples a target has, the more its heads lean on word vectors, which know words that no example has.
    pub(super) fn own_settings(&self, examples: usize) -> Settings {
        let mut settings = self.settings.clone();
        settings.l2_stance = self.settings.l2_own;
        settings.balanced |= examples < MANY;
        let strength = (0.1 * (MANY as f64 / examples.max(1) as f64).sqrt()).clamp(0.1, 0.5);
        // A block that counts k times as much is one whose L2 strength is k² times lower.
        settings.l2_blocks.vectors *= (0.1 / strength).powi(2);
        settings
    }

    /// A target as training reads it.
    pub(super) fn target(&self, name: &str, sensing: &Sensing<'_>) -> Target {
        AskedTarget::read(&self.named_target(name), None, &self.data.known_targets, sensing).read
    }

    /// What is known of a target.
    pub(super) fn named_target(&self, name: &str) -> NamedTarget {
        let known = self.data.known_targets.iter().find(|known| known.name == name);
        known.cloned().unwrap_or_else(|| NamedTarget::topic(name))
    }

    /// Targets part into folds, and what must stay together (threads, authors, texts) goes with the first of its targets.
    fn target_folds(&self) -> Parting {
        let names: BTreeSet<String> = self.data.targets.iter().map(|t| t.to_lowercase()).collect();
        let mut order: Vec<&String> = names.iter().collect();
        order.sort_by_key(|name| xxh3_64_with_seed(name.as_bytes(), self.settings.seed));
        let of_name: HashMap<&String, usize> =
            order.into_iter().enumerate().map(|(i, name)| (name, i % self.settings.folds)).collect();
        let targets: Vec<usize> = self.data.targets.iter().map(|t| of_name[&t.to_lowercase()]).collect();
        let mut of_group: HashMap<&str, usize> = HashMap::new();
        let group = |row: u32| self.data.groups[row as usize].as_str();
        let texts = self.data.stance.rows.iter().zip(&targets);
        let texts = texts.map(|(&row, &fold)| *of_group.entry(group(row)).or_insert(fold)).collect();
        Parting { targets, texts }
    }
}

impl ClassRows {
    pub(super) fn part(&self, places: &[usize]) -> Self {
        Self {
            classes: self.classes.clone(),
            rows: places.iter().map(|&i| self.rows[i]).collect(),
            truth: places.iter().map(|&i| self.truth[i]).collect(),
        }
    }
}

/// The lowest threshold at which decisions are right as often as `precision` asks, and what it is worth.
pub(super) fn trust(p: &[Vec<f32>], truth: &[usize], precision: f64) -> Trust {
    let mut rows: Vec<(f32, bool)> = p
        .iter()
        .zip(truth)
        .map(|(p, &truth)| {
            let best = likeliest(p);
            (p.get(best).copied().unwrap_or_default(), best == truth)
        })
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let n = rows.len().max(1) as f32;
    let mut right = 0usize;
    let mut trust = Trust { threshold: NEVER, coverage: 0.0, accuracy_at_coverage: 0.0, accuracy: 0.0 };
    for (i, (p, is_right)) in rows.iter().enumerate() {
        right += usize::from(*is_right);
        let decided = i + 1;
        let last_of_its_kind = rows.get(decided).is_none_or(|(next, _)| next < p);
        if last_of_its_kind && decided >= FEWEST_DECIDED && right as f64 >= precision * decided as f64 {
            trust.threshold = *p;
            trust.coverage = decided as f32 / n;
            trust.accuracy_at_coverage = right as f32 / decided as f32;
        }
    }
    trust.accuracy = right as f32 / n;
    trust
}

/// Examples from which on the heads of a target need neither stronger vectors nor balanced classes.
const MANY: usize = 200;
/// A threshold that no probability reaches.
pub(super) const NEVER: f32 = 2.0;
/// Fewest rows with the name of their target that teach what is said beside names.
const FEWEST_NAMED: usize = 200;
/// Fewest rows that a threshold is told by.
const FEWEST_DECIDED: usize = 20;
