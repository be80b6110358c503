//! What operators see and do: the state of the whole system, faults, load, dead letters.
//!
//! | file | what it holds |
//! |---|---|
//! | `board.rs` | the state of the system as they see it, once a second for all of them |
//! | `faults.rs` | the way out to the stubs' fault switches |
//! | `load.rs` | demo orders, for as long as someone wants them |

pub(crate) mod board;
pub(crate) mod faults;
pub(crate) mod load;
