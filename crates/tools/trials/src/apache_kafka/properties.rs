//! The configuration of one broker that is its own controller (<https://kafka.apache.org/documentation/#brokerconfigs>).

use std::path::Path;

/// The content of `server.properties`. The lines in `more` come last and so override earlier ones of the same name.
pub(super) fn render(data: &Path, port: u16, controller_port: u16, more: &str) -> String {
    // A backslash begins an escape in this format.
    let data = data.display().to_string().replace('\\', "\\\\");
    format!(
        "# Written by `trials kafka` at every start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=BROKER://127.0.0.1:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={data}
# `setup` creates the topics: a misspelt name must not create another one.
auto.create.topics.enable=false
# There is only one broker.
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# Short, so that a broker that was killed can register again soon: the controller first has to drop its old session.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
# A consumer that joins an empty group need not wait for more members.
group.initial.rebalance.delay.ms=0
{more}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_directory_and_extra_lines_are_rendered() {
        let text = render(Path::new("/a b/data"), 1, 2, "compression.type=zstd\n");
        for line in [
            "listeners=BROKER://127.0.0.1:1,CONTROLLER://127.0.0.1:2",
            "controller.quorum.voters=1@127.0.0.1:2",
            "log.dirs=/a b/data",
            "compression.type=zstd",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }
}
