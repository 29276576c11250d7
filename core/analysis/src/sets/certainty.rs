//! What surely passes, and what may.

use super::Traffic;

/// What passes somewhere: surely, and at most. Between the two lies what depends on something that is not known, or that holds
/// for a part of the addresses only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Passes in every case.
    pub certain: Traffic,
    /// Passes in some case, or nobody can say; holds `certain`.
    pub possible: Traffic,
}

impl Passage {
    /// Everything passes.
    pub fn all() -> Self {
        Self::exactly(Traffic::all())
    }

    /// Nothing passes.
    pub fn none() -> Self {
        Self::exactly(Traffic::none())
    }

    /// Nobody can say.
    pub fn unknown() -> Self {
        Self { certain: Traffic::none(), possible: Traffic::all() }
    }

    /// This passes and nothing else.
    pub fn exactly(traffic: Traffic) -> Self {
        Self { possible: traffic.clone(), certain: traffic }
    }

    /// This may pass; nothing surely does.
    pub fn at_most(traffic: Traffic) -> Self {
        Self { certain: Traffic::none(), possible: traffic }
    }

    /// Through both, one after the other.
    #[must_use]
    pub fn then(&self, other: &Self) -> Self {
        Self { certain: self.certain.and(&other.certain), possible: self.possible.and(&other.possible) }
    }

    /// By the one or by the other: what either lets through passes.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self { certain: self.certain.or(&other.certain), possible: self.possible.or(&other.possible) }
    }

    /// The one case or the other, and it is not known which: only what passes in both is certain.
    #[must_use]
    pub fn either(&self, other: &Self) -> Self {
        Self { certain: self.certain.and(&other.certain), possible: self.possible.or(&other.possible) }
    }

    /// Whether nothing can pass.
    pub fn is_closed(&self) -> bool {
        self.possible.is_empty()
    }

    /// What may pass and need not.
    pub fn doubtful(&self) -> Traffic {
        self.possible.without(&self.certain)
    }
}
