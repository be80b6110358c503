//! Kubernetes: tests the manifests on a cluster.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::steps::Steps;

/// Applies `overlays/local` to the cluster of this kubeconfig, and tests the system there. `cargo` builds the test; `build` builds
/// the launcher, which makes the keys.
pub(crate) fn test(
    steps: &mut Steps,
    kubeconfig: &Path,
    image: &str,
    trials_image: Option<&str>,
    [build, cargo]: [&mut Command; 2],
) -> anyhow::Result<()> {
    let (name, tag) = image.rsplit_once(':').context("--image must have a tag")?;
    let trials = format!("{name}-trials:{tag}");
    let kubeconfig = kubeconfig
        .canonicalize()
        .with_context(|| format!("reading {}", kubeconfig.display()))?;
    let mut version = Command::new("kubectl");
    steps.run(
        "the cluster",
        version.arg("version").env("KUBECONFIG", &kubeconfig),
    )?;
    steps.run(
        "launcher",
        build.args(["build", "--package", "food-ordering"]),
    )?;
    steps.run(
        "the system on a cluster",
        cargo
            .args([
                "test",
                "--package",
                "end-to-end-tests",
                "--test",
                "kubernetes",
            ])
            .args(["--", "--ignored", "--nocapture"])
            .env("KUBECONFIG", kubeconfig)
            .env("IMAGE", image)
            .env("TRIALS_IMAGE", trials_image.unwrap_or(&trials)),
    )
}
