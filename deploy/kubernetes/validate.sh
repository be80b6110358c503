#!/usr/bin/env bash
# Renders the overlays and checks every resource against the schemas of Kubernetes and of the operators. Applies nothing.
#
#   deploy/kubernetes/validate.sh [OVERLAY…]
#
# Needs kustomize and kubeconform on PATH, or Go, to build both once into the cache. By default, the schemas are downloaded from
# the public repositories. On machines that cannot reach those, set SCHEMAS to other locations, separated by spaces (values of
# kubeconform's -schema-location). KUBERNETES_VERSION is 1.36.0 unless set.
set -euo pipefail

kustomize_version=v5.8.2
kubeconform_version=v0.8.0
kubernetes_version="${KUBERNETES_VERSION:-1.36.0}"
catalogue='https://raw.githubusercontent.com/datreeio/CRDs-catalog/main/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json'
read -ra schemas <<<"${SCHEMAS:-default $catalogue}"

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/food-ordering/kubernetes"
export PATH="$cache:$PATH"

need() { # program, its Go package
    command -v "$1" >/dev/null && return
    if ! command -v go >/dev/null; then
        echo "NOT CHECKED: neither $1 nor Go is on PATH" >&2
        exit 2
    fi
    echo "building $2" >&2
    GOBIN="$cache" go install "$2"
}
need kustomize "sigs.k8s.io/kustomize/kustomize/v5@$kustomize_version"
need kubeconform "github.com/yannh/kubeconform/cmd/kubeconform@$kubeconform_version"

# Works on a copy with placeholders for secrets, so that real secrets are neither needed nor read.
copy="$(mktemp --directory)"
trap 'rm --recursive --force "$copy"' EXIT
cp --recursive "$here/.." "$copy/deploy"
kubernetes="$copy/deploy/kubernetes"
sed --quiet 's/.*files: \[\(.*\)\].*/\1/p' "$kubernetes/secrets/kustomization.yaml" | tr -d ' ' | tr ',' '\n' |
    while read -r file; do echo "no secret" >"$kubernetes/secrets/$file"; done

# What a user's own directory contains who installs from a URL, and whether it is the same as from a checkout.
git -C "$copy" -c init.defaultBranch=main init --quiet
git -C "$copy" add deploy
git -C "$copy" -c user.name=test -c user.email=test@example.com commit --quiet --message test
mkdir -p "$copy/mine"
cp --recursive "$kubernetes/secrets" "$copy/mine/secrets"
cat >"$copy/mine/kustomization.yaml" <<END
resources: ["file://$copy//deploy/kubernetes/overlays/trial?ref=main", secrets]
END
echo "== from a URL"
diff <(kustomize build "$copy/mine") <(kustomize build "$kubernetes/overlays/local") && echo "the same as local"

# An overlay with the components that no other overlay uses.
mkdir "$kubernetes/overlays/others"
cat >"$kubernetes/overlays/others/kustomization.yaml" <<'END'
resources: [../local]
components: [../../components/ingress, ../../components/psql-tls, ../../components/snapshots]
END
# The schema of RestateDeployment does not cover the pod template, so the template is checked as that of a Deployment.
mkdir "$kubernetes/templates"
cat >"$kubernetes/templates/kustomization.yaml" <<'END'
resources: [rendered.yaml]
patches:
  - target: { kind: RestateDeployment }
    options: { allowKindChange: true }
    patch: |
      - { op: replace, path: /apiVersion, value: apps/v1 }
      - { op: replace, path: /kind, value: Deployment }
      - { op: remove, path: /spec/restate }
END

check() {
    kubeconform -strict -summary -kubernetes-version "$kubernetes_version" "${schemas[@]/#/-schema-location=}" "$1"
}
overlays=("$@")
[[ $# -gt 0 ]] || overlays=(local production others)
for overlay in "${overlays[@]}"; do
    echo "== $overlay"
    kustomize build "$kubernetes/overlays/$overlay" >"$kubernetes/templates/rendered.yaml"
    check "$kubernetes/templates/rendered.yaml"
    kustomize build "$kubernetes/templates" >"$copy/templates.yaml"
    check "$copy/templates.yaml"
done
