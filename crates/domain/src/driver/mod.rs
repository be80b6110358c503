//! Drivers: what their phones report, and the one rule that evaluates a report.
//!
//! | module | what it holds |
//! |---|---|
//! | [`report`] | a record of topic `driver-updates`, parsed or refused with a reason |
//! | [`clock`] | the time in a report, in whichever unit the phone writes it |
//! | [`track`] | which position is the newest, when the driver was last heard from, which positions are impossible |
//! | [`silence`] | when a driver counts as silent |
//!
//! The digital twin and the gateway's map both use [`Track`], so a customer never sees a position that the twin has refused.

pub mod clock;
pub mod report;
pub mod silence;
pub mod track;

pub use report::{LocationUpdate, Unreadable};
pub use silence::Silence;
pub use track::{Fix, Impossible, Received, Track, Verdict};
