//! Runs `kubectl`.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use end_to_end_tests::{eventually, run};
use serde_json::{Value, json};

/// How long everything may take to be ready. Long, because Kafka and Restate read their data first, and a machine may be busy.
pub(crate) const READY_WITHIN: Duration = Duration::from_mins(10);
/// The namespaces of the system.
const NAMESPACES: [&str; 3] = ["food-ordering", "kafka", "restate"];

/// The system on a cluster. It is left there when the test ends, so that one can look at it.
pub(crate) struct Cluster {
    kubeconfig: String,
    image: String,
    /// The image of the test rig.
    rig: String,
    begin: Instant,
    /// Different in each run of the test: the operator never registers the same template twice.
    run: u64,
    passed: Cell<bool>,
}

/// A pod of the system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pod {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// `app.kubernetes.io/name`.
    pub(crate) part: String,
    pub(crate) ip: String,
    pub(crate) node: String,
    ready: bool,
    restarts: u64,
}

impl Cluster {
    /// Takes `KUBECONFIG` and the images' names from the environment.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let variable = |name| std::env::var(name).with_context(|| format!("no {name}"));
        let cluster = Self {
            kubeconfig: variable("KUBECONFIG")?,
            image: variable("IMAGE")?,
            rig: variable("TRIALS_IMAGE")?,
            begin: Instant::now(),
            run: UNIX_EPOCH.elapsed()?.as_secs(),
            passed: Cell::new(false),
        };
        let version = cluster.json(&["version", "--output=json"])?;
        println!(
            "Kubernetes {}, nodes: {}",
            version["serverVersion"]["gitVersion"]
                .as_str()
                .context("a version")?,
            cluster.nodes()?.join(", ")
        );
        Ok(cluster)
    }

    /// Prints the heading of a step.
    pub(crate) fn step(&self, what: &str) {
        println!("━━ {:6.1} s  {what}", self.begin.elapsed().as_secs_f64());
    }

    /// Says that the test has passed.
    pub(crate) fn pass(&self) {
        self.passed.set(true);
        println!("━━ {:6.1} s  passed", self.begin.elapsed().as_secs_f64());
    }

    /// Runs kubectl with these arguments, and returns its output.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.kubectl_with(arguments, "")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            .current_dir(root())
            .stdin(Stdio::null());
        command
    }

    /// The same, with this standard input.
    fn kubectl_with(&self, arguments: &[&str], input: &str) -> anyhow::Result<String> {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting kubectl")?;
        let mut stdin = child.stdin.take().context("a pipe")?;
        stdin.write_all(input.as_bytes())?;
        drop(stdin);
        let ended = child.wait_with_output()?;
        ensure!(
            ended.status.success(),
            "kubectl {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&ended.stderr).trim()
        );
        Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.kubectl(arguments)?)?)
    }

    /// Waits for what `kubectl wait` waits for.
    pub(crate) fn wait(&self, condition: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let limit = format!("--timeout={}s", READY_WITHIN.as_secs());
        let condition = format!("--for={condition}");
        let wait = [&["wait", &limit, &condition], arguments].concat();
        self.kubectl(&wait)?;
        Ok(())
    }

    pub(crate) fn nodes(&self) -> anyhow::Result<Vec<String>> {
        let names = self.kubectl(&["get", "nodes", "--output=name"])?;
        Ok(names
            .lines()
            .map(|it| it.trim_start_matches("node/").to_owned())
            .collect())
    }

    /// Applies the overlay with short waits and the image. Another `version` changes the templates of all pods, as another image does.
    pub(crate) fn apply(&self, version: u32) -> anyhow::Result<()> {
        let secrets = root().join("deploy/kubernetes/secrets");
        let keys = [
            "keys".into(),
            "--directory".into(),
            secrets.clone().into_os_string(),
        ];
        let made = run(keys, "")?;
        ensure!(made.success, "{}", made.output);
        let passwords = secrets.join("psql.passwords");
        if !passwords.exists() {
            std::fs::write(passwords, "operator:of-the-test\n")?;
        }
        let (image, tag) = self.image.rsplit_once(':').context("an image with a tag")?;
        let version = format!("{}.{version}", self.run);
        let annotate = |kind: &str, path: &str| {
            let patch = json!([{ "op": "add", "path": path, "value": { "food-ordering/rollout": version } }]);
            json!({ "target": { "kind": kind }, "patch": patch.to_string() })
        };
        let path = "/spec/template/metadata/annotations";
        let overlay = json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": ["../../tests/tests/kubernetes/overlay"],
            "images": [{ "name": "food-ordering", "newName": image, "newTag": tag }],
            "patches": [
                annotate("RestateDeployment", path),
                annotate("Deployment", path),
                annotate("StatefulSet", path),
            ],
        });
        let directory = root().join("target/kubernetes-test");
        std::fs::create_dir_all(&directory)?;
        std::fs::write(directory.join("kustomization.yaml"), overlay.to_string())?;
        let directory = directory.display().to_string();
        let apply = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--kustomize",
            &directory,
        ];
        let applied = self.kubectl(&apply)?;
        println!("   applied {} resources", applied.lines().count());
        Ok(())
    }

    /// The pods of the system, without those of Jobs.
    pub(crate) fn pods(&self) -> anyhow::Result<Vec<Pod>> {
        let mut pods = Vec::new();
        for namespace in NAMESPACES {
            let found = self.json(&["get", "pods", "--namespace", namespace, "--output=json"])?;
            for pod in found["items"].as_array().into_iter().flatten() {
                let metadata = &pod["metadata"];
                let owner = &metadata["ownerReferences"][0]["kind"];
                if owner.is_null() || owner == "Job" {
                    continue;
                }
                let status = &pod["status"];
                let conditions = status["conditions"].as_array().into_iter().flatten();
                let containers = status["containerStatuses"].as_array().into_iter().flatten();
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                pods.push(Pod {
                    namespace: namespace.to_owned(),
                    name: text(&metadata["name"]),
                    part: text(&metadata["labels"]["app.kubernetes.io/name"]),
                    ip: text(&status["podIP"]),
                    node: text(&pod["spec"]["nodeName"]),
                    ready: metadata["deletionTimestamp"].is_null()
                        && conditions
                            .clone()
                            .any(|it| it["type"] == "Ready" && it["status"] == "True"),
                    restarts: containers
                        .filter_map(|it| it["restartCount"].as_u64())
                        .sum(),
                });
            }
        }
        pods.sort();
        Ok(pods)
    }

    /// Waits until each controller has as many ready pods as it wants, and no others.
    pub(crate) async fn settles(&self) -> anyhow::Result<Vec<Pod>> {
        let begin = Instant::now();
        let pods = eventually("all pods to be ready", READY_WITHIN, async || {
            self.look().map_err(|error| format!("{error:#}"))
        })
        .await;
        println!(
            "   {} pods are ready, {:.1} s",
            pods.len(),
            begin.elapsed().as_secs_f64()
        );
        for pod in pods.iter().filter(|pod| pod.restarts > 0) {
            println!("   {} was restarted {} times", pod.name, pod.restarts);
        }
        Ok(pods)
    }

    fn look(&self) -> anyhow::Result<Vec<Pod>> {
        let mut wanted = 0;
        for namespace in NAMESPACES {
            let kinds = "deployments,statefulsets,replicasets";
            let found = self.json(&["get", kinds, "--namespace", namespace, "--output=json"])?;
            for it in found["items"].as_array().into_iter().flatten() {
                let name = format!("{} {}", it["kind"], it["metadata"]["name"]);
                let (spec, status) = (&it["spec"]["replicas"], &it["status"]);
                let replicas = spec.as_u64().unwrap_or(1);
                let ready = status["readyReplicas"].as_u64().unwrap_or(0);
                ensure!(
                    status["observedGeneration"] == it["metadata"]["generation"]
                        && ready == replicas,
                    "{name}: {ready} of {replicas} are ready"
                );
                let is_whole = status["updatedReplicas"].is_null()
                    || status["updatedReplicas"].as_u64() == Some(replicas);
                ensure!(is_whole, "{name}: {status}");
                // A Deployment's pods are those of its ReplicaSets.
                if it["kind"] != "Deployment" {
                    wanted += replicas;
                }
            }
        }
        let pods = self.pods()?;
        let unready: Vec<&str> = (pods.iter())
            .filter(|pod| !pod.ready)
            .map(|pod| &*pod.name)
            .collect();
        ensure!(unready.is_empty(), "not ready: {unready:?}");
        let parts: BTreeSet<&str> = pods.iter().map(|pod| &*pod.namespace).collect();
        ensure!(parts.len() == NAMESPACES.len(), "pods only in {parts:?}");
        // Strimzi's own controller has its own kind, so there may be more.
        ensure!(
            pods.len() as u64 >= wanted,
            "{} of {wanted} pods",
            pods.len()
        );
        Ok(pods)
    }

    /// Asks for a pod's eviction, as `kubectl drain` does. `false` if a disruption budget forbids it now.
    pub(crate) fn evict(&self, pod: &Pod) -> anyhow::Result<bool> {
        let Pod {
            namespace, name, ..
        } = pod;
        let eviction = json!({
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": { "name": name, "namespace": namespace },
        });
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/eviction");
        match self.kubectl_with(
            &["create", "--raw", &path, "--filename=-"],
            &eviction.to_string(),
        ) {
            Ok(_) => Ok(true),
            Err(error) if error.to_string().contains("disruption budget") => Ok(false),
            Err(error) if error.to_string().contains("not found") => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Runs setup now, and waits until it has succeeded.
    pub(crate) async fn set_up(&self, name: &str) -> anyhow::Result<()> {
        let from = [
            "create",
            "job",
            name,
            "--from=cronjob/setup",
            "--namespace=food-ordering",
        ];
        self.remove("job", name)?;
        self.kubectl(&from)?;
        let printed = self.job_ends(name).await?;
        println!("   setup: {}", printed.lines().last().unwrap_or_default());
        Ok(())
    }

    fn remove(&self, kind: &str, name: &str) -> anyhow::Result<()> {
        self.kubectl(&[
            "delete",
            kind,
            name,
            "--namespace=food-ordering",
            "--ignore-not-found",
        ])?;
        Ok(())
    }

    /// Starts the test rig in the cluster, with these arguments. It is started again up to `again` times if it fails.
    pub(crate) fn rig(&self, name: &str, arguments: &[&str], again: u32) -> anyhow::Result<()> {
        let container = json!({
            "name": "rig",
            "image": self.rig,
            "args": arguments,
            "env": [
                { "name": "FOOD_ORDERING_KAFKA_BROKERS", "value": KAFKA },
                { "name": "FOOD_ORDERING_ENDPOINTS", "value": "/endpoints/endpoints.json" },
            ],
            "volumeMounts": [{ "name": "endpoints", "mountPath": "/endpoints" }],
        });
        let volumes = json!([{ "name": "endpoints", "configMap": { "name": "test-rig" } }]);
        let mut spec = pod_spec(&container, &volumes);
        // A network may permit a new pod's connections only after it has started.
        let wait = REACHED_BY_RIG
            .map(|it| format!("until timeout 2 bash -c '</dev/tcp/{it}'; do sleep 0.1; done; "));
        let wait = json!({ "name": "network", "image": self.rig, "command": ["bash", "-c", wait.concat()] });
        spec["initContainers"] = pod_spec(&wait, &json!([]))["containers"].take();
        // Not the names that the parts use, which have hashes.
        let objects = json!({
            "apiVersion": "v1",
            "kind": "List",
            "items": [
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": { "name": "test-rig", "namespace": "food-ordering" },
                    "data": { "endpoints.json": json!({
                        "kafka": KAFKA,
                        "restate-admin": "http://restate.restate.svc:9070",
                        "payment-provider": "http://payment-provider:5060",
                        "restaurant-pos": "http://restaurant-pos:5050",
                    }).to_string() },
                },
                // The stand-ins' books are for nobody else.
                {
                    "apiVersion": "networking.k8s.io/v1",
                    "kind": "NetworkPolicy",
                    "metadata": { "name": "test-rig", "namespace": "food-ordering" },
                    "spec": {
                        "podSelector": { "matchLabels": { "app.kubernetes.io/name": "test-rig" } },
                        "policyTypes": ["Egress"],
                        "egress": [{ "to": [{ "podSelector": stand_ins() }] }],
                    },
                },
                {
                    "apiVersion": "networking.k8s.io/v1",
                    "kind": "NetworkPolicy",
                    "metadata": { "name": "test-rig-to-stand-ins", "namespace": "food-ordering" },
                    "spec": {
                        "podSelector": stand_ins(),
                        "policyTypes": ["Ingress"],
                        "ingress": [{ "from": [
                            { "podSelector": { "matchLabels": { "app.kubernetes.io/name": "test-rig" } } },
                        ] }],
                    },
                },
                {
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "metadata": { "name": name, "namespace": "food-ordering" },
                    "spec": {
                        "backoffLimit": again,
                        "template": {
                            "metadata": { "labels": {
                                "app.kubernetes.io/name": "test-rig",
                                "food-ordering/uses-kafka": "true",
                                "food-ordering/uses-restate-admin": "true",
                            } },
                            "spec": spec,
                        },
                    },
                },
            ],
        });
        self.remove("job", name)?;
        self.kubectl_with(
            &["apply", "--server-side", "--filename=-"],
            &objects.to_string(),
        )?;
        Ok(())
    }

    /// Waits until a Job has ended, and returns what it printed. Fails if the Job has failed.
    pub(crate) async fn job_ends(&self, name: &str) -> anyhow::Result<String> {
        let job = format!("job/{name}");
        let namespace = "--namespace=food-ordering";
        let what = format!("{job} to end");
        let condition = eventually(&what, READY_WITHIN, async || {
            let get = ["get", &job, namespace, "--output=json"];
            let status = self.json(&get).map_err(|error| format!("{error:#}"))?["status"].take();
            let mut conditions = status["conditions"].as_array().into_iter().flatten();
            let ended = conditions.find(|it| it["type"] == "Complete" || it["type"] == "Failed");
            ended.cloned().ok_or_else(|| status.to_string())
        })
        .await;
        let pods = format!("--selector=job-name={name}");
        let printed = self.kubectl(&["logs", &pods, "--tail=-1", namespace])?;
        ensure!(
            condition["type"] == "Complete",
            "{job}: {condition}\n{printed}"
        );
        Ok(printed)
    }

    /// Starts a pod with these labels that does nothing. [`Self::script`] runs in it.
    pub(crate) fn stranger(&self, namespace: &str, labels: &Value) -> anyhow::Result<()> {
        let idle = json!({ "name": "shell", "image": self.image, "command": ["sleep", "1800"] });
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": { "name": "stranger", "namespace": namespace, "labels": labels },
            "spec": pod_spec(&idle, &json!([])),
        });
        self.remove_stranger(namespace)?;
        self.kubectl_with(&["create", "--filename=-"], &pod.to_string())?;
        let namespace = format!("--namespace={namespace}");
        self.wait("condition=Ready", &["pod/stranger", &namespace])
    }

    /// Runs a shell script in the stranger of this namespace, and returns its output.
    pub(crate) fn script(&self, namespace: &str, script: &str) -> anyhow::Result<String> {
        let namespace = format!("--namespace={namespace}");
        self.kubectl(&["exec", "stranger", &namespace, "--", "bash", "-c", script])
    }

    pub(crate) fn remove_stranger(&self, namespace: &str) -> anyhow::Result<()> {
        self.delete_pod(namespace, "stranger", &["--grace-period=1"])
    }

    /// Deletes a pod. It is no error if it is gone: an operator may have removed an old version's pod in the meantime.
    pub(crate) fn delete_pod(
        &self,
        namespace: &str,
        name: &str,
        more: &[&str],
    ) -> anyhow::Result<()> {
        let namespace = format!("--namespace={namespace}");
        let delete = ["delete", "pod", name, &namespace, "--ignore-not-found"];
        self.kubectl(&[&delete, more].concat())?;
        Ok(())
    }

    /// Makes a port of the system reachable from here. `target` is a pod or a service.
    pub(crate) fn forward(
        &self,
        namespace: &str,
        target: &str,
        port: u16,
    ) -> anyhow::Result<Forward> {
        let port = format!(":{port}");
        let mut child = self
            .command(&["port-forward", "--namespace", namespace, target, &port])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting kubectl")?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("a pipe")?;
        let mut forward = Forward { child, port: 0 };
        let mut stdout = BufReader::new(stdout);
        stdout.read_line(&mut line)?;
        // kubectl prints a line for each connection, and ends if it cannot. The thread ends with it.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        // "Forwarding from 127.0.0.1:34567 -> 3000"
        let here = line
            .split(" -> ")
            .next()
            .and_then(|it| it.rsplit(':').next());
        let Some(port) = here.and_then(|port| port.trim().parse().ok()) else {
            bail!("no port is forwarded to {target}: {line:?}");
        };
        forward.port = port;
        Ok(forward)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !self.passed.get() {
            for namespace in NAMESPACES {
                let get = ["get", "all", "--namespace", namespace, "--output=wide"];
                let _ = self.command(&get).status();
                let events = ["events", "--namespace", namespace, "--types=Warning"];
                let _ = self.command(&events).status();
            }
        }
    }
}

/// A forwarded port. Ends when this is dropped, and when the pod ends.
pub(crate) struct Forward {
    child: Child,
    pub(crate) port: u16,
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the test rig connects to, as `host/port`.
const REACHED_BY_RIG: [&str; 4] = [
    "food-ordering-kafka-bootstrap.kafka.svc/9092",
    "restate.restate.svc/9070",
    "payment-provider/5060",
    "restaurant-pos/5050",
];

/// The address of Kafka in the cluster.
const KAFKA: &str = "food-ordering-kafka-bootstrap.kafka.svc:9092";

/// Selects the stand-ins of the third parties, which keep books.
fn stand_ins() -> Value {
    let names = ["payment-provider", "restaurant-pos"];
    json!({ "matchExpressions": [{ "key": "app.kubernetes.io/name", "operator": "In", "values": names }] })
}

/// A pod with one container that namespace `food-ordering` accepts.
fn pod_spec(container: &Value, volumes: &Value) -> Value {
    let mut container = container.clone();
    container["securityContext"] = json!({
        "allowPrivilegeEscalation": false,
        "capabilities": { "drop": ["ALL"] },
    });
    json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": 65532,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "containers": [container],
        "volumes": volumes,
    })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
