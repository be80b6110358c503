//! `deployments`: lists the versions of the services that Restate knows, with the invocations under way on each, and removes
//! drained versions.
//!
//! Restate sends new invocations to the newest deployment of a service. An invocation that has begun stays with its deployment
//! until it ends, so an earlier version has to run until its last invocation has ended.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use durable::VERSION;
use serde::Deserialize;
use tokio::time::sleep;

use crate::restate::admin::{Admin, Deployment};

/// How long to wait before checking a second time whether a version is drained: an invocation that was about to begin may appear
/// on the earlier version a moment after the new one was registered.
const RECHECK_AFTER: Duration = Duration::from_secs(1);

/// Arguments of `deployments`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// URL of Restate's admin API
    #[arg(
        long,
        global = true,
        env = "FOOD_ORDERING_RESTATE_ADMIN",
        default_value = "http://127.0.0.1:9070",
        value_name = "URL"
    )]
    restate_admin: String,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists the deployments: address, version, services, invocations under way
    List,
    /// Removes a former version that has no invocations under way, so that its processes can be stopped
    Retire {
        /// Id or address of the deployment, as `list` shows them
        #[arg(value_name = "ID|URL")]
        deployment: String,
    },
}

/// `deployments`: fails if the deployment to retire is still needed.
pub async fn main(args: Args) -> anyhow::Result<()> {
    let admin = Admin::new(&args.restate_admin)?;
    match args.action.unwrap_or(Action::List) {
        Action::List => {
            for known in survey(&admin).await? {
                say!("{}", known.described());
            }
            Ok(())
        }
        Action::Retire { deployment } => retire(&admin, &deployment).await,
    }
}

async fn retire(admin: &Admin, which: &str) -> anyhow::Result<()> {
    let check = async || {
        let known = survey(admin).await?;
        let found = known.into_iter().find(|known| known.is(which));
        let found = found.with_context(|| {
            format!("Restate knows no deployment {which}; `food-ordering deployments` lists them")
        })?;
        match found.obstacle() {
            Some(obstacle) => bail!("{} is still needed: {obstacle}", found.name()),
            None => Ok(found),
        }
    };
    check().await?;
    sleep(RECHECK_AFTER).await;
    let drained = check().await?;
    admin.remove_deployment(&drained.deployment.id).await?;
    say!(
        "{} is removed; its processes can be stopped.",
        drained.name()
    );
    Ok(())
}

/// A deployment and the reasons why it is still needed.
#[derive(Debug)]
pub(crate) struct Surveyed {
    pub(crate) deployment: Deployment,
    /// The services whose new invocations go there.
    pub(crate) current: Vec<String>,
    /// The number of invocations that began there and have not ended, by status.
    pub(crate) under_way: BTreeMap<String, u64>,
}

/// All deployments with what they are needed for, the newest first.
pub(crate) async fn survey(admin: &Admin) -> anyhow::Result<Vec<Surveyed>> {
    #[derive(Deserialize)]
    struct Row {
        deployment: String,
        status: String,
        invocations: u64,
    }
    // The sequence of the requests matters: once the second answer shows that a deployment is no longer the newest, no invocation
    // can begin on it that the third answer would miss.
    let mut deployments = Vec::new();
    for known in admin.deployments().await? {
        // The list has fewer details of the services.
        deployments.push(admin.deployment(&known.id).await?);
    }
    let newest = admin.newest_of_services().await?;
    let rows: Vec<Row> = admin.query(UNDER_WAY).await?;
    let mut surveyed: Vec<Surveyed> = deployments
        .into_iter()
        .map(|deployment| {
            let current = newest
                .iter()
                .filter(|(_, id)| **id == deployment.id)
                .map(|(service, _)| service.clone());
            let under_way = rows
                .iter()
                .filter(|row| row.deployment == deployment.id)
                .map(|row| (row.status.clone(), row.invocations));
            Surveyed {
                current: current.collect(),
                under_way: under_way.collect(),
                deployment,
            }
        })
        .collect();
    surveyed.sort_by(|a, b| b.deployment.created_at.cmp(&a.deployment.created_at));
    Ok(surveyed)
}

const UNDER_WAY: &str = "select pinned_deployment_id as deployment, status, count(*) as invocations from sys_invocation \
    where pinned_deployment_id is not null and status != 'completed' group by pinned_deployment_id, status";

impl Surveyed {
    /// How many invocations are under way there.
    pub(crate) fn total(&self) -> u64 {
        self.under_way.values().sum()
    }

    /// Whether a newer version has taken over all its services.
    pub(crate) fn is_former(&self) -> bool {
        self.current.is_empty()
    }

    /// Why it cannot be removed; `None` if it can.
    pub(crate) fn obstacle(&self) -> Option<String> {
        if !self.is_former() {
            return Some(format!(
                "it is the newest version of {}. Register a newer version first: food-ordering setup",
                self.current.join(", ")
            ));
        }
        (self.total() > 0).then(|| format!("{} are under way there", self.counted()))
    }

    /// The version in the services' metadata, or `unknown`.
    pub(crate) fn version(&self) -> &str {
        let mut services = self.deployment.services.iter();
        let version =
            services.find_map(|service| service.details.get("metadata")?.get(VERSION)?.as_str());
        version.unwrap_or("unknown")
    }

    /// Its id, version and address, for messages.
    pub(crate) fn name(&self) -> String {
        let Deployment { id, uri, .. } = &self.deployment;
        format!("{id} (version {} at {uri})", self.version())
    }

    fn is(&self, which: &str) -> bool {
        let Deployment { id, uri, .. } = &self.deployment;
        id == which || uri.trim_end_matches('/') == which.trim_end_matches('/')
    }

    fn counted(&self) -> String {
        let statuses = crate::counted(&self.under_way);
        format!("{} invocations ({statuses})", self.total())
    }

    fn described(&self) -> String {
        let what = match (self.is_former(), self.total()) {
            (true, 0) => "former, drained: can be retired".to_owned(),
            (true, _) => format!("former; {} under way", self.counted()),
            (false, 0) => format!("newest of {}", self.current.join(", ")),
            (false, _) => format!(
                "newest of {}; {} under way",
                self.current.join(", "),
                self.counted()
            ),
        };
        let Deployment { id, uri, .. } = &self.deployment;
        format!("{id}  {uri}  version {}\n    {what}", self.version())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surveyed(current: &[&str], under_way: &[(&str, u64)]) -> Surveyed {
        Surveyed {
            deployment: Deployment {
                id: "dp_1".to_owned(),
                uri: "http://127.0.0.1:1/".to_owned(),
                services: Vec::new(),
                created_at: String::new(),
            },
            current: current
                .iter()
                .map(|service| (*service).to_owned())
                .collect(),
            under_way: under_way
                .iter()
                .map(|(status, count)| ((*status).to_owned(), *count))
                .collect(),
        }
    }

    #[test]
    fn only_a_drained_former_version_can_be_retired() {
        let newest = surveyed(&["OrderWorkflow"], &[]);
        assert!(newest.obstacle().unwrap().contains("OrderWorkflow"));
        let busy = surveyed(&[], &[("running", 2), ("suspended", 3)]);
        assert_eq!(
            busy.obstacle().unwrap(),
            "5 invocations (2 running, 3 suspended) are under way there"
        );
        let drained = surveyed(&[], &[]);
        assert_eq!(drained.obstacle(), None);
        assert!(drained.described().contains("can be retired"));
    }

    #[test]
    fn a_deployment_is_found_by_its_id_or_address() {
        let known = surveyed(&[], &[]);
        assert!(known.is("dp_1") && known.is("http://127.0.0.1:1"));
        assert!(!known.is("dp_") && !known.is("http://127.0.0.1:12"));
    }
}
