//! The automaton: which national numbers fit a pattern.
//!
//! Deterministic, minimal and without cycles, all patterns in one. A state is twelve little-endian 16-bit words: its
//! label, the next state for each digit, and one to spare (the address of a state is then cheap). State 0 is the end of
//! every number that fits nothing.

/// Words of a state.
pub(super) const WORDS: usize = 12;

static STATES: &[[u8; WORDS * 2]] = include_bytes!("automaton.bin").as_chunks().0;

/// A state of the automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State(pub(super) u16);

impl State {
    const DEAD: Self = Self(0);

    /// The state after these digits.
    pub(super) fn walk(self, digits: &[u8]) -> Self {
        let mut state = self;
        for digit in digits {
            if state == Self::DEAD {
                break;
            }
            state = Self(state.word(1 + usize::from(*digit)));
        }
        state
    }

    /// What the number that ends here is; 0 where it fits nothing.
    pub(super) fn label(self) -> u16 {
        self.word(0)
    }

    fn word(self, place: usize) -> u16 {
        let state = STATES.get(usize::from(self.0));
        match state.and_then(|state| state.get(place * 2..place * 2 + 2)) {
            Some(&[low, high]) => u16::from_le_bytes([low, high]),
            _ => 0,
        }
    }
}
