//! The argument vector.

use super::handle::{Identity, ProcessHandle};
use super::parse::cmdline;
use crate::contract::{Gap, Observed, Reason};

/// The arguments that the process was started with, or wrote over them; empty for a kernel
/// thread, `None` for a zombie.
#[must_use]
pub fn arguments(process: &ProcessHandle, identity: &Identity) -> Observed<Option<Vec<Vec<u8>>>> {
    const FIELD: &str = "process.argv";
    match identity.no_memory() {
        _ if identity.kernel_thread => return Observed::whole(Some(Vec::new())),
        Some((reason, why)) => return Observed::partial(None, Gap::new(FIELD, reason, why)),
        None => {}
    }
    match process.living().read("cmdline", process.dir().limits().argv) {
        Ok(contents) => {
            let whole = cmdline::arguments(&contents.bytes);
            let owned = Some(whole.into_iter().map(<[u8]>::to_vec).collect());
            match contents.cut {
                false => Observed::whole(owned),
                true => {
                    let limit = format!("cmdline is longer than {} bytes", contents.bytes.len());
                    Observed::partial(owned, Gap::new(FIELD, Reason::Budget, limit))
                }
            }
        }
        Err(error) => Observed::partial(None, process.gap(FIELD, &error)),
    }
}
