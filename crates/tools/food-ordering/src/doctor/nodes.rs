//! The nodes of a Restate cluster: which of them answer, and what it means for the cluster.

use std::cmp::Ordering;

use futures::future::join_all;

use super::addresses::Addresses;
use super::finding::Finding;
use super::probe::{Found, Sign, describe, probe};

/// A node's two doors.
const SIGNS: [Sign; 2] = [Sign::Path("/health"), Sign::Path("/restate/health")];

/// Looks at every node; answers what is to be said of each, and how many can be asked further.
pub(super) async fn look(addresses: &Addresses) -> (Vec<Finding>, usize) {
    let doors = addresses.restate_admin.each();
    let doors: Vec<[&str; 2]> = (doors.zip(addresses.restate_ingress.each()))
        .map(|(admin, ingress)| [admin, ingress])
        .collect();
    let looks = join_all(doors.iter().map(|[admin, ingress]| async move {
        let found = futures::join!(probe(admin, SIGNS[0]), probe(ingress, SIGNS[1]));
        // One that is gone has neither, and that is one thing.
        match found {
            (Found::It, Found::It) => None,
            (Found::It, wrong) => Some(describe(ingress, &wrong)),
            (wrong, _) => Some(describe(admin, &wrong)),
        }
    }))
    .await;
    let all = looks.len();
    let well = looks.iter().filter(|wrong| wrong.is_none()).count();
    let findings = (doors.iter().zip(looks).zip(1..)).map(|(([admin, ingress], wrong), number)| {
        let process = process(number);
        match wrong {
            None => Finding::fine(&process, format!("{admin}, ingress {ingress}")),
            Some(wrong) => Finding::wrong(
                &process,
                format!("{wrong}; {}", consequence(well, all)),
                addresses.restart(&process),
            ),
        }
    });
    (findings.collect(), well)
}

/// As `up` calls them.
fn process(number: usize) -> String {
    match number {
        1 => "restate-server".to_owned(),
        _ => format!("restate-server-{number}"),
    }
}

fn consequence(well: usize, all: usize) -> String {
    let needed = all / 2 + 1;
    match well.cmp(&needed) {
        Ordering::Less => {
            format!("nothing moves: {needed} of {all} nodes are needed, and {well} answer")
        }
        Ordering::Equal => "the others go on, and none of them may be lost too".to_owned(),
        Ordering::Greater => "the others go on".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_three_nodes_one_may_be_lost() {
        assert!(consequence(2, 3).starts_with("the others go on, and none"));
        assert!(consequence(1, 3).starts_with("nothing moves: 2 of 3"));
        assert_eq!(consequence(4, 5), "the others go on");
    }
}
