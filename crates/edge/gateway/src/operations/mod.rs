//! What operators see and do: the state of the whole system, faults, load, dead letters.
//!
//! | file | what it holds |
//! |---|---|
//! | `board.rs` | the state of the system, computed once a second for all operators |
//! | `faults.rs` | calls to the stubs' fault switches |
//! | `load.rs` | demo orders, for as long as someone wants them |

pub(crate) mod board;
pub(crate) mod faults;
pub(crate) mod load;
