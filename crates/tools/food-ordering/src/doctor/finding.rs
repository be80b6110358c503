//! A finding of `doctor`, and how it is printed.

use std::fmt;

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    subject: String,
    what: String,
    /// What to do about it; `None` if nothing is wrong.
    remedy: Option<String>,
}

impl Finding {
    /// Nothing is wrong with `subject`.
    pub(super) fn fine(subject: &str, what: impl Into<String>) -> Self {
        Self {
            subject: subject.to_owned(),
            what: what.into(),
            remedy: None,
        }
    }

    /// Something is wrong with `subject`, and `remedy` fixes it.
    pub(super) fn wrong(subject: &str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..Self::fine(subject, what)
        }
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.remedy.is_some()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject,
            what,
            remedy,
        } = self;
        let mark = if remedy.is_some() { "WRONG" } else { "ok" };
        write!(f, "{mark:<6}{subject:<22}{what}")?;
        match remedy {
            Some(remedy) => write!(f, "\n{:28}-> {remedy}", ""),
            None => Ok(()),
        }
    }
}
