//! The fast way from words to logits: the columns that every comment needs, packed into a cache line or less a row, and added up sixteen
//! at a time in whatever vector instructions the machine has.
//!
//! [`super::sums`] is the plain way, which explanations and training go. Both add the same numbers in the same order: a test holds them
//! to the same bits.

use super::fold::Table;
use super::scoring::{TextLogits, windows};
use super::{Weights, peaks};
use crate::features::style;

/// Columns that are added up at a time.
const LANE: usize = 16;
/// One number a column of a lane.
type Lane = [f32; LANE];
/// Models of more lanes go the plain way.
const MOST_LANES: usize = 4;
/// Marks a word of a text as one without a row: the rest is its place among the remembered ones.
const UNKNOWN: u32 = 1 << 31;

/// Packed columns of a model's weights.
#[derive(Debug, Clone)]
pub struct Hot {
    arch: pulp::Arch,
    /// The pooled heads, then the labels.
    labels: Columns,
    pools: usize,
    /// Some label looks at windows.
    in_windows: bool,
    /// The heads of the stance toward the parent.
    parent: Option<Columns>,
}

/// Some columns of all tables.
#[derive(Debug, Clone, Default)]
struct Columns {
    /// Which.
    of: Vec<usize>,
    lanes: usize,
    bias: Vec<Lane>,
    /// `lanes` a feature of style.
    style: Vec<Lane>,
    words: Rows,
    pairs: Rows,
    /// What the local maxima count: `lanes` a pooled head and size.
    local: Vec<Lane>,
}

/// Rows of signed bytes, their scale in the last two; the last row is all zeros.
#[derive(Debug, Clone, Default)]
struct Rows {
    bytes: Vec<i8>,
    stride: usize,
    len: u32,
}

/// A word of a text by its row, and the row of the pair that it closes.
#[derive(Debug, Clone, Copy)]
struct Place {
    word: u32,
    pair: u32,
}

/// What the fast way reuses from text to text.
#[derive(Debug, Clone, Default)]
pub struct Lanes {
    places: Vec<Place>,
    scales: Vec<[f32; 2]>,
    words: Vec<Lane>,
    pairs: Vec<Lane>,
    /// The local maxima of the text, by pooled head and size, once they are known.
    peaks: Option<[[f32; peaks::COUNT]; LANE]>,
}

/// What is asked of a text.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// Style of the text, and of a window of it, as heads see it.
    pub styles: &'a [[f32; style::COUNT]; 2],
    /// All columns of the words without a row, one after the other.
    pub unknown: &'a [f32],
    /// The stance toward the parent, too.
    pub parent: bool,
}

impl Hot {
    /// Packs the first `labels` columns, the pooled ones and those of `parent` (the first, how many). `None` for a model of too many.
    pub fn of(weights: &Weights, labels: usize, in_windows: bool, parent: Option<(usize, usize)>) -> Option<Self> {
        let pooled = weights.columns.checked_sub(weights.pools)?..weights.columns;
        let columns: Vec<usize> = pooled.chain(0..labels).collect();
        let parent = parent.map(|(first, classes)| (first..first + classes).collect::<Vec<usize>>());
        let is_there = |k: &usize| *k < weights.columns;
        let fits = weights.pools <= LANE
            && lanes_of(columns.len()) <= MOST_LANES
            && columns.iter().chain(parent.iter().flatten()).all(is_there)
            && parent.as_ref().is_none_or(|of| lanes_of(of.len()) == 1);
        fits.then(|| Self {
            arch: pulp::Arch::new(),
            labels: Columns::of(weights, columns),
            pools: weights.pools,
            in_windows,
            parent: parent.map(|columns| Columns::of(weights, columns)),
        })
    }

    /// Fills in the logits of the labels, and of the stances toward the parent where they are asked for. `out.window` stays as it is.
    pub fn logits(&self, asking: &Asking<'_>, scratch: &mut Lanes, out: &mut TextLogits) {
        self.arch.dispatch(Asked { hot: self, asking, scratch, out });
    }

    #[inline(always)]
    fn lanes<const L: usize>(&self, asking: &Asking<'_>, scratch: &mut Lanes, out: &mut TextLogits) {
        let Lanes { places, scales, words, pairs, peaks } = scratch;
        let [whole_style, window_style] = asking.styles;
        let columns = &self.labels;
        columns.read::<L>(places, asking.unknown, scales, words, pairs);
        let (words, pairs) = (words.as_chunks::<L>().0, pairs.as_chunks::<L>().0);
        let peaks = peaks.insert(self.peaks(words, pairs));
        let local = columns.local::<L>(peaks);
        let whole = added(added(summed(words, pairs), columns.base::<L>(whole_style)), local);
        columns.put(self.pools, &whole, &mut out.whole);
        let n = words.len();
        if self.in_windows && super::scoring::is_long(n) {
            let base = columns.base::<L>(window_style);
            let mut highest = [[f32::MIN; LANE]; L];
            for window in windows(n) {
                let (words, pairs) = (&words[window.clone()], &pairs[window]);
                highest = higher(highest, added(summed(words, pairs), base));
            }
            columns.put(self.pools, &added(highest, local), &mut out.highest);
        } else {
            out.highest.clone_from(&out.whole);
        }
        out.parent.clear();
        if let Some(columns) = self.parent.as_ref().filter(|_| asking.parent) {
            let total = columns.sum_alone(places, asking.unknown);
            let whole = added(added([total], columns.base::<1>(whole_style)), columns.local::<1>(peaks));
            columns.put(0, &whole, &mut out.parent);
        }
    }

    /// The local maxima of the pooled heads, by head and size.
    #[inline(always)]
    fn peaks<const L: usize>(&self, words: &[[Lane; L]], pairs: &[[Lane; L]]) -> [[f32; peaks::COUNT]; LANE] {
        let mut peaks = [[0.0; peaks::COUNT]; LANE];
        if self.pools == 0 || words.is_empty() {
            return peaks;
        }
        for (s, size) in peaks::SIZES.into_iter().enumerate() {
            let size = size.min(words.len());
            let root = (size as f32).sqrt();
            let mut best = [f32::MIN; LANE];
            if size == 1 {
                words.iter().for_each(|word| best = higher([best], [word[0]])[0]);
            }
            for (words, pairs) in words.windows(size).zip(pairs.windows(size)).filter(|_| size > 1) {
                let (mut of_words, mut of_pairs) = ([0.0; LANE], [0.0; LANE]);
                for word in words {
                    of_words = sum(of_words, word[0]);
                }
                for pair in &pairs[1..] {
                    of_pairs = sum(of_pairs, pair[0]);
                }
                best = higher([best], [sum(of_words, of_pairs)])[0];
            }
            for (peak, best) in peaks.iter_mut().zip(best) {
                peak[s] = best / root;
            }
        }
        peaks
    }
}

/// A text to be gone through in the widest instructions there are.
struct Asked<'a> {
    hot: &'a Hot,
    asking: &'a Asking<'a>,
    scratch: &'a mut Lanes,
    out: &'a mut TextLogits,
}

impl pulp::WithSimd for Asked<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { hot, asking, scratch, out } = self;
        match hot.labels.lanes {
            1 => hot.lanes::<1>(asking, scratch, out),
            2 => hot.lanes::<2>(asking, scratch, out),
            3 => hot.lanes::<3>(asking, scratch, out),
            _ => hot.lanes::<MOST_LANES>(asking, scratch, out),
        }
    }
}

impl Columns {
    fn of(weights: &Weights, of: Vec<usize>) -> Self {
        let lanes = lanes_of(of.len());
        let lanes_at = |row: &[f32]| {
            let mut out = vec![[0.0; LANE]; lanes];
            gather(row, &of, &mut out);
            out
        };
        let columns = weights.columns.max(1);
        let outer = columns - weights.pools.min(columns);
        let peaks = weights.pools * peaks::COUNT;
        // A pooled head has no local maxima of its own.
        let count = |j: usize| -> Vec<f32> {
            let of_column = |k: usize| if k < outer { weights.pool_weights.get(k * peaks + j).copied() } else { None };
            (0..columns).map(|k| of_column(k).unwrap_or_default()).collect()
        };
        Self {
            lanes,
            bias: lanes_at(&weights.bias),
            style: weights.style.chunks_exact(columns).flat_map(lanes_at).collect(),
            words: Rows::of(&weights.words, &of, lanes),
            pairs: Rows::of(&weights.pairs, &of, lanes),
            local: (0..peaks).flat_map(|j| lanes_at(&count(j))).collect(),
            of,
        }
    }

    /// Unpacks the rows of all words and pairs of a text.
    #[inline(always)]
    fn read<const L: usize>(
        &self,
        places: &[Place],
        unknown: &[f32],
        scales: &mut Vec<[f32; 2]>,
        words: &mut Vec<Lane>,
        pairs: &mut Vec<Lane>,
    ) {
        // The scales first, and nothing else: so the memory brings many rows at a time.
        scales.clear();
        scales.extend(places.iter().map(|place| [self.words.scale(place.word), self.pairs.scale(place.pair)]));
        words.resize(places.len() * L, [0.0; LANE]);
        pairs.resize(places.len() * L, [0.0; LANE]);
        let rows = words.as_chunks_mut::<L>().0.iter_mut().zip(pairs.as_chunks_mut::<L>().0);
        for ((place, scales), (word, pair)) in places.iter().zip(&*scales).zip(rows) {
            *pair = self.pairs.unpack::<L>(place.pair, scales[1]);
            *word = self.word::<L>(place.word, scales[0], unknown);
        }
    }

    #[inline(always)]
    fn word<const L: usize>(&self, word: u32, scale: f32, unknown: &[f32]) -> [Lane; L] {
        if word & UNKNOWN == 0 {
            return self.words.unpack::<L>(word, scale);
        }
        let mut row = [[0.0; LANE]; L];
        gather(unknown.get((word & !UNKNOWN) as usize..).unwrap_or_default(), &self.of, &mut row);
        row
    }

    /// What a text adds up to, of columns of one lane that are needed for nothing else.
    #[inline(always)]
    fn sum_alone(&self, places: &[Place], unknown: &[f32]) -> Lane {
        let mut total = [0.0; LANE];
        for place in places {
            let scales = [self.words.scale(place.word), self.pairs.scale(place.pair)];
            total = sum(total, self.word::<1>(place.word, scales[0], unknown)[0]);
            total = sum(total, self.pairs.unpack::<1>(place.pair, scales[1])[0]);
        }
        scaled(total, places.len())
    }

    #[inline(always)]
    fn base<const L: usize>(&self, style: &[f32; style::COUNT]) -> [Lane; L] {
        let mut base = [[0.0; LANE]; L];
        base.copy_from_slice(&self.bias[..L]);
        for (value, weights) in style.iter().zip(self.style.as_chunks::<L>().0) {
            base = multiplied(base, *value, weights);
        }
        base
    }

    #[inline(always)]
    fn local<const L: usize>(&self, peaks: &[[f32; peaks::COUNT]; LANE]) -> [Lane; L] {
        let mut local = [[0.0; LANE]; L];
        for (peak, weights) in peaks.as_flattened().iter().zip(self.local.as_chunks::<L>().0) {
            local = multiplied(local, *peak, weights);
        }
        local
    }

    /// Hands on the columns from number `from` on.
    #[inline(always)]
    fn put<const L: usize>(&self, from: usize, lanes: &[Lane; L], out: &mut Vec<f32>) {
        out.clear();
        out.extend_from_slice(lanes.as_flattened().get(from..self.of.len()).unwrap_or_default());
    }
}

impl Rows {
    fn of(table: &Table, columns: &[usize], lanes: usize) -> Self {
        let stride = lanes * LANE;
        let mut bytes = vec![0i8; (table.len() + 1) * stride];
        for (i, packed) in bytes.chunks_exact_mut(stride).enumerate().take(table.len()) {
            let (values, scale) = table.row(i as u32);
            for (packed, &k) in packed.iter_mut().zip(columns) {
                *packed = values[k];
            }
            let [low, high] = scale.to_le_bytes();
            packed[stride - 2] = low.cast_signed();
            packed[stride - 1] = high.cast_signed();
        }
        Self { bytes, stride, len: table.len() as u32 }
    }

    /// What the numbers of a row are to be multiplied by.
    #[inline(always)]
    fn scale(&self, row: u32) -> f32 {
        let end = (row as usize + 1) * self.stride;
        let scale = self.bytes.get(end.wrapping_sub(2)..end).and_then(|scale| scale.first_chunk());
        scale.map_or(0.0, |[low, high]| widened(u16::from_le_bytes([low.cast_unsigned(), high.cast_unsigned()])))
    }

    /// The numbers of a row; those beyond its columns mean nothing.
    #[inline(always)]
    fn unpack<const L: usize>(&self, row: u32, scale: f32) -> [Lane; L] {
        let mut out = [[0.0; LANE]; L];
        let from = row as usize * self.stride;
        let Some(packed) = self.bytes.get(from..from + L * LANE) else { return out };
        for (out, packed) in out.iter_mut().zip(packed.as_chunks::<LANE>().0) {
            for k in 0..LANE {
                out[k] = f32::from(packed[k]) * scale;
            }
        }
        out
    }
}

impl Lanes {
    /// The local maxima of the text, by pooled head and size, if its logits were asked for.
    pub fn peaks(&self) -> Option<&[f32]> {
        self.peaks.as_ref().map(|peaks| peaks.as_flattened())
    }

    /// Forgets the words of the last text.
    pub fn clear(&mut self) {
        self.places.clear();
        self.peaks = None;
    }

    /// Adds a word: its row, or the place of its remembered numbers, and the row of the pair that it closes.
    pub fn push(&mut self, hot: &Hot, word: Result<u32, u32>, pair: Option<u32>) {
        let word = word.unwrap_or_else(|at| at | UNKNOWN);
        self.places.push(Place { word, pair: pair.unwrap_or(hot.labels.pairs.len) });
    }
}

/// A positive half-precision number, without a branch: its exponent moves over, and what it is short of is made up for.
#[inline(always)]
fn widened(bits: u16) -> f32 {
    const TWO_TO_112: f32 = f32::from_bits(0x7780_0000);
    f32::from_bits(u32::from(bits & 0x7fff) << 13) * TWO_TO_112
}

/// Lanes that hold so many columns and a scale.
fn lanes_of(columns: usize) -> usize {
    (columns + 2).div_ceil(LANE)
}

#[inline(always)]
fn gather(row: &[f32], columns: &[usize], out: &mut [Lane]) {
    for (out, &k) in out.as_flattened_mut().iter_mut().zip(columns) {
        *out = row.get(k).copied().unwrap_or_default();
    }
}

/// The sum over words and the pairs inside, over the square root of their number.
#[inline(always)]
fn summed<const L: usize>(words: &[[Lane; L]], pairs: &[[Lane; L]]) -> [Lane; L] {
    let mut total = [[0.0; LANE]; L];
    for (i, (word, pair)) in words.iter().zip(pairs).enumerate() {
        total = added(total, *word);
        // The pair that the first word closes began outside.
        if i > 0 {
            total = added(total, *pair);
        }
    }
    for lane in &mut total {
        *lane = scaled(*lane, words.len());
    }
    total
}

#[inline(always)]
fn scaled(mut lane: Lane, n: usize) -> Lane {
    let scale = (n.max(1) as f32).sqrt().recip();
    for value in &mut lane {
        *value *= scale;
    }
    lane
}

#[inline(always)]
fn sum(mut a: Lane, b: Lane) -> Lane {
    for k in 0..LANE {
        a[k] += b[k];
    }
    a
}

#[inline(always)]
fn added<const L: usize>(mut a: [Lane; L], b: [Lane; L]) -> [Lane; L] {
    for l in 0..L {
        a[l] = sum(a[l], b[l]);
    }
    a
}

#[inline(always)]
fn higher<const L: usize>(mut a: [Lane; L], b: [Lane; L]) -> [Lane; L] {
    for l in 0..L {
        for k in 0..LANE {
            a[l][k] = a[l][k].max(b[l][k]);
        }
    }
    a
}

/// `a + value · weights`.
#[inline(always)]
fn multiplied<const L: usize>(mut a: [Lane; L], value: f32, weights: &[Lane; L]) -> [Lane; L] {
    for l in 0..L {
        for k in 0..LANE {
            a[l][k] += value * weights[l][k];
        }
    }
    a
}

#[cfg(test)]
mod tests {
    use half::f16;

    #[test]
    fn a_scale_is_read_as_what_it_was_written() {
        for bits in 0..f16::INFINITY.to_bits() {
            assert_eq!(super::widened(bits).to_bits(), f16::from_bits(bits).to_f32().to_bits());
        }
    }
}
