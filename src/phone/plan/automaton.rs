//! The automaton: which national numbers fit a pattern.
//!
//! Deterministic, minimal and without cycles, all patterns in one. A state is eleven little-endian 16-bit words: its
//! label, then the next state for each digit. State 0 is the end of every number that fits nothing.

const WORD: usize = 2;
const STATE: usize = 11 * WORD;

static STATES: &[u8] = include_bytes!("automaton.bin");

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
        let at = usize::from(self.0) * STATE + place * WORD;
        match STATES.get(at..at + WORD) {
            Some(&[low, high]) => u16::from_le_bytes([low, high]),
            _ => 0,
        }
    }
}
