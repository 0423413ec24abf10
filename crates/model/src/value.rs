//! Values of three schemas: schema n has n fields. Every write uses a tag of its own, so lost, mixed or revived fields
//! can be seen.

use changeover::engine::store::{Reachability, TranslationPlan};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value {
    pub schema: u32,
    pub fields: [u8; 3],
}

/// How the schemas relate to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Each schema adds a field, so every way down is lossy.
    Growing,
    /// All have one field under different names, so nothing is ever lost.
    Renaming,
    /// As growing, but the newest build has no way down at all.
    NoWayDown,
}

impl Value {
    /// A tag that the first schema knows and no later one accepts.
    pub const POISON: u8 = 99;

    pub fn is_valid(&self) -> bool {
        self.schema == 1 || self.fields[0] != Self::POISON
    }
}

impl Shape {
    pub fn fields(self, schema: u32) -> usize {
        match self {
            Self::Growing | Self::NoWayDown => schema as usize,
            Self::Renaming => 1,
        }
    }

    /// What the build of `schema` can translate.
    pub fn ways(self, schema: u32) -> Reachability {
        let lossy_down = self != Self::Renaming;
        let pairs = (1..=schema).flat_map(|from| (1..=schema).map(move |to| (from, to)));
        let ways = pairs.filter(|(from, to)| {
            from < to || (from > to && !(self == Self::NoWayDown && *from == 3))
        });
        Reachability::new(ways.map(|(from, to)| (from, to, from > to && lossy_down)))
    }

    /// A value with `tag` in every field.
    pub fn filled(self, schema: u32, tag: u8) -> Value {
        let mut fields = [0; 3];
        fields[..self.fields(schema)].fill(tag);
        Value { schema, fields }
    }

    pub fn translate(self, from: u32, to: u32, value: Value) -> Value {
        assert_eq!(
            value.schema, from,
            "a value of another schema was translated"
        );
        let mut fields = value.fields;
        fields[self.fields(to)..].fill(0);
        Value { schema: to, fields }
    }

    pub fn apply(self, recipe: TranslationPlan<Value>) -> Value {
        let cooked: Result<Value, ()> = recipe.apply(
            &mut |from, to, value| Ok(self.translate(from, to, value)),
            &mut |base, ours, theirs| {
                let mut merged = theirs;
                for at in 0..3 {
                    if theirs.fields[at] == base.fields[at] {
                        merged.fields[at] = ours.fields[at];
                    }
                }
                merged
            },
        );
        cooked.expect("translations of the model do not fail")
    }
}
