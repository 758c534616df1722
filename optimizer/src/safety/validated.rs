//! Proof, by type, that the validator has passed something.

use serde::Serialize;

/// Something the validator has passed. Only this module's parent can make one: there is no public constructor, no
/// mutable access and no way to read one from bytes, so what holds a `Validated<PublishedPlan>` may publish it.
///
/// ```compile_fail
/// use greenkerb_optimizer::safety::Validated;
/// let forged = Validated(7);
/// ```
/// ```compile_fail
/// use greenkerb_optimizer::safety::Validated;
/// let forged: Validated<u32> = serde_json::from_str("7").unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Validated<T>(T);

impl<T> Validated<T> {
    pub(super) const fn attest(value: T) -> Self {
        Self(value)
    }

    /// What was validated.
    #[must_use]
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// What was validated, without the proof.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> AsRef<T> for Validated<T> {
    fn as_ref(&self) -> &T {
        &self.0
    }
}
