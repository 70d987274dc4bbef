//! Remembers what stood last in an input, in bounded memory: items of dumps refer to what stood before them.

use std::collections::HashMap;
use std::hash::Hash;

/// Entries of a generation. The last of them at least are known, and twice as many at most: about 50 MB.
const GENERATION: usize = 1 << 19;

/// A map that forgets what was put in long ago.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    generation: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash, V: Copy> Recent<K, V> {
    pub(crate) fn new() -> Self {
        Self { generation: GENERATION, young: HashMap::new(), old: HashMap::new() }
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.generation {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_are_known_and_the_first_forgotten() {
        let mut recent = Recent { generation: 100, ..Recent::new() };
        (0..1000).for_each(|n| recent.insert(n, n));
        assert!((900..1000).all(|n| recent.get(&n) == Some(n)));
        assert!((0..800).all(|n| recent.get(&n).is_none()));
        assert!(recent.young.len() + recent.old.len() <= 200);
    }
}
