//! Patterns of the metadata: regular expressions over digits, as programs and as deterministic automata.

use std::collections::HashMap;

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::super::prefix::{GROUPS, Op};

/// A pattern as a program. What the metadata does not use is refused.
pub(super) fn compile(pattern: &str) -> Vec<Op> {
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(pattern)
        .unwrap();
    let mut program = Vec::new();
    emit(&hir, &mut program);
    program.push(Op::Match);
    program
}

fn emit(hir: &Hir, program: &mut Vec<Op>) {
    let digit_bit = |byte: u8| 1u16 << byte.checked_sub(b'0').filter(|digit| *digit < 10).unwrap();
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => {
            program.extend(literal.0.iter().map(|byte| Op::Digit(digit_bit(*byte))));
        }
        HirKind::Class(Class::Bytes(class)) => {
            let bytes = class
                .ranges()
                .iter()
                .flat_map(|range| range.start()..=range.end());
            program.push(Op::Digit(
                bytes.map(digit_bit).fold(0, |set, bit| set | bit),
            ));
        }
        HirKind::Look(Look::End) => program.push(Op::End),
        HirKind::Repetition(repetition) => {
            assert!(repetition.greedy, "{hir}");
            let max = repetition.max.unwrap();
            (0..repetition.min).for_each(|_| emit(&repetition.sub, program));
            let tries: Vec<usize> = (repetition.min..max)
                .map(|_| {
                    program.push(Op::Match);
                    let at = program.len() - 1;
                    emit(&repetition.sub, program);
                    at
                })
                .collect();
            let end = program.len() as u16;
            tries.iter().for_each(|at| program[*at] = Op::Try(end));
        }
        HirKind::Capture(capture) => {
            let group = u8::try_from(capture.index - 1).unwrap();
            assert!(usize::from(group) < GROUPS, "{hir}");
            program.push(Op::Open(group));
            emit(&capture.sub, program);
            program.push(Op::Close(group));
        }
        HirKind::Concat(parts) => parts.iter().for_each(|part| emit(part, program)),
        HirKind::Alternation(branches) => {
            let mut jumps = Vec::new();
            for (place, branch) in branches.iter().enumerate() {
                if place + 1 == branches.len() {
                    emit(branch, program);
                    break;
                }
                let at = program.len();
                program.push(Op::Match);
                emit(branch, program);
                jumps.push(program.len());
                program.push(Op::Match);
                program[at] = Op::Try(program.len() as u16);
            }
            let end = program.len() as u16;
            jumps.iter().for_each(|at| program[*at] = Op::Jump(end));
        }
        _ => panic!("not in the metadata so far: {hir}"),
    }
}

/// A pattern of the metadata file, which wraps it in `^(?:` and `)$`.
pub(super) fn unwrapped(pattern: Option<&str>) -> Option<&str> {
    let pattern = pattern.filter(|pattern| !pattern.is_empty())?;
    Some(
        pattern
            .strip_prefix("^(?:")
            .unwrap()
            .strip_suffix(")$")
            .unwrap(),
    )
}

/// A deterministic automaton of one pattern. State 0 is dead, state 1 starts.
pub(super) struct Dfa {
    pub(super) next: Vec<[usize; 10]>,
    pub(super) accepts: Vec<bool>,
}

impl Dfa {
    /// Subset construction.
    pub(super) fn new(pattern: &str) -> Self {
        let program = compile(pattern);
        let closure = |starts: &mut dyn Iterator<Item = usize>| {
            let mut reached = Vec::new();
            let mut work: Vec<usize> = starts.collect();
            while let Some(at) = work.pop() {
                if reached.contains(&at) {
                    continue;
                }
                reached.push(at);
                match program[at] {
                    Op::Try(otherwise) => work.extend([at + 1, usize::from(otherwise)]),
                    Op::Jump(to) => work.push(usize::from(to)),
                    Op::Open(_) | Op::Close(_) => work.push(at + 1),
                    Op::Digit(_) | Op::Match => {}
                    Op::End => panic!("{pattern}"),
                }
            }
            reached.retain(|at| matches!(program[*at], Op::Digit(_) | Op::Match));
            reached.sort_unstable();
            reached
        };
        let mut sets = vec![Vec::new(), closure(&mut std::iter::once(0))];
        let mut ids = HashMap::from([(sets[0].clone(), 0), (sets[1].clone(), 1)]);
        let mut dfa = Self {
            next: vec![[0; 10]],
            accepts: vec![false],
        };
        while dfa.next.len() < sets.len() {
            let set = sets[dfa.next.len()].clone();
            dfa.accepts
                .push(set.iter().any(|at| program[*at] == Op::Match));
            dfa.next.push(std::array::from_fn(|digit| {
                let target = closure(&mut set.iter().filter_map(|at| match program[*at] {
                    Op::Digit(digits) if digits >> digit & 1 == 1 => Some(at + 1),
                    _ => None,
                }));
                *ids.entry(target.clone()).or_insert_with(|| {
                    sets.push(target);
                    sets.len() - 1
                })
            }));
        }
        dfa
    }
}

/// The automata of patterns, each made once and known by its place.
#[derive(Default)]
pub(super) struct Dfas {
    pub(super) made: Vec<Dfa>,
    places: HashMap<String, usize>,
}

impl Dfas {
    pub(super) fn place(&mut self, pattern: &str) -> usize {
        *self.places.entry(pattern.to_owned()).or_insert_with(|| {
            self.made.push(Dfa::new(pattern));
            self.made.len() - 1
        })
    }
}
