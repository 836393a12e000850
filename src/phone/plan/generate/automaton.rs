//! The automaton of all patterns.

use std::collections::HashMap;

use super::MAX_LEN;
use super::pattern::Dfa;

/// The automaton of all patterns: each state once.
pub(super) struct Automaton {
    pub(super) states: Vec<(u16, [u16; 10])>,
    ids: HashMap<(u16, [u16; 10]), u16>,
}

impl Automaton {
    pub(super) fn new() -> Self {
        let dead = (0, [0; 10]);
        Self {
            states: vec![dead],
            ids: HashMap::from([(dead, 0)]),
        }
    }

    fn state(&mut self, label: u16, next: [u16; 10]) -> u16 {
        let states = &mut self.states;
        *self.ids.entry((label, next)).or_insert_with(|| {
            states.push((label, next));
            u16::try_from(states.len() - 1).unwrap()
        })
    }

    /// Adds the product of some automata; `label` tells what a number is, by its length and their states.
    pub(super) fn add(&mut self, dfas: &[&Dfa], label: &dyn Fn(usize, &[usize]) -> u16) -> u16 {
        self.add_from(&mut HashMap::new(), 0, vec![1; dfas.len()], dfas, label)
    }

    fn add_from(
        &mut self,
        known: &mut HashMap<(usize, Vec<usize>), u16>,
        len: usize,
        at: Vec<usize>,
        dfas: &[&Dfa],
        label: &dyn Fn(usize, &[usize]) -> u16,
    ) -> u16 {
        if len > MAX_LEN || at.iter().all(|state| *state == 0) {
            return 0;
        }
        if let Some(state) = known.get(&(len, at.clone())) {
            return *state;
        }
        let next = std::array::from_fn(|digit| {
            let after = at
                .iter()
                .zip(dfas)
                .map(|(state, dfa)| dfa.next[*state][digit]);
            self.add_from(known, len + 1, after.collect(), dfas, label)
        });
        let state = self.state(label(len, &at), next);
        known.insert((len, at), state);
        state
    }
}
