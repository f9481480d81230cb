#!/usr/bin/env bash
# Validates deploy/ and the Compose files with the programs that read them, as far as they are installed. The exit code is 1
# when a check fails, and 77 when no check fails but a tool is missing. The tests in test/deploy check the rest.
# On Debian: apt-get install haproxy prometheus; pip install kubernetes-validate check-jsonschema.
set -euo pipefail

readonly EXIT_SKIPPED=77
# The oldest has matchLabelKeys and unhealthyPodEvictionPolicy.
readonly KUBERNETES_VERSIONS=(1.27 1.31 1.37)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
cd "$root"
source tools/checks.sh

missing=()
has() { command -v "$1" >/dev/null; }
lacks() { # <tool> <what is not checked without it>
  missing+=("$1")
  printf 'MISSING  %s; not checked: %s\n' "$1" "$2"
}

# ------------------------------------------------------------------------------------------------------------ HAProxy

if has haproxy; then
  version=$(haproxy -v | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
  check "haproxy.cfg, by HAProxy $version" haproxy -c -f deploy/haproxy/haproxy.cfg
  if [[ -d node_modules/sharp ]]; then
    printf '         HAProxy in front of two replicas; this takes a minute.\n'
    check 'HAProxy in front of two replicas' node tools/run.mjs build/deploy/haproxy/trial.js
    grep -E '^(ok  |FAILED: )' "$work/output" | sed 's/^/         /'
  else
    lacks 'node_modules (npm ci)' 'HAProxy in front of replicas'
  fi
else
  lacks haproxy deploy/haproxy
fi

# --------------------------------------------------------------------------------------------------------- Prometheus

# Writes the dashboard's queries as a file of rules, with values for Grafana's variables, so that promtool parses them.
dashboard_rules() {
  node --input-type=module - <<'JS'
import { readFileSync } from 'node:fs';
const { panels } = JSON.parse(readFileSync('deploy/grafana/dashboards/face-embedding.json', 'utf8'));
const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
const rules = queries.map((query, index) => ({
  record: `dashboard:query:${index}`,
  expr: query.replaceAll('$__rate_interval', '1m').replace(/\$(job|instance)/g, '.+'),
}));
// JSON is YAML.
console.log(JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
JS
}

if has promtool; then
  version=$(promtool --version 2>&1 | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
  check "prometheus.yml and alerts.yml, by promtool $version" promtool check config deploy/prometheus/prometheus.yml
  check 'alerts.test.yml' promtool test rules deploy/prometheus/alerts.test.yml
  if has node; then
    dashboard_rules >"$work/dashboard.yml"
    check "the dashboard's queries" promtool check rules "$work/dashboard.yml"
  else
    lacks node "the dashboard's queries"
  fi
else
  lacks promtool deploy/prometheus
fi

# --------------------------------------------------------------------------------------------------------- Kubernetes

if has kubectl; then
  build() { kubectl kustomize "$1"; }
elif has kustomize; then
  build() { kustomize build "$1"; }
else
  build() { return 1; }
  lacks 'kubectl or kustomize' deploy/kubernetes
fi

if has kubectl || has kustomize; then
  # A component can only be built as part of a kustomization; no example uses these.
  mkdir -p "$work/with-init"
  cat >"$work/with-init/kustomization.yaml" <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [$(realpath --relative-to="$work/with-init" deploy/kubernetes/base)]
components: [$(realpath --relative-to="$work/with-init" deploy/kubernetes/components/weights-init)]
YAML
  mkdir -p "$work/with-keda-and-ingress"
  cat >"$work/with-keda-and-ingress/kustomization.yaml" <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [$(realpath --relative-to="$work/with-keda-and-ingress" deploy/kubernetes/base)]
components:
  - $(realpath --relative-to="$work/with-keda-and-ingress" deploy/kubernetes/components/keda)
  - $(realpath --relative-to="$work/with-keda-and-ingress" deploy/kubernetes/components/ingress)
YAML
  for folder in deploy/kubernetes/{base,weights-volume,overlays/*} "$work"/with-*; do
    name=$(basename "$folder")
    check "kustomize: $name" build "$folder"
    cp "$work/output" "$work/$name.yaml"
    if has kubernetes-validate; then
      for version in "${KUBERNETES_VERSIONS[@]}"; do
        check "schemas of Kubernetes $version: $name" kubernetes-validate --strict --no-warn -k "$version" "$work/$name.yaml"
      done
    fi
  done
  has kubernetes-validate || lacks kubernetes-validate 'the manifests against the schemas of Kubernetes'
  printf '         ServiceMonitor and ScaledObject are not validated: these tools have no schema for them.\n'
fi

# ------------------------------------------------------------------------------------------------------------ Compose

if tools/verify-compose.sh >"$work/compose"; then
  cat "$work/compose"
elif [[ $? == "$EXIT_SKIPPED" ]]; then
  lacks 'check-jsonschema or docker compose' 'the Compose files'
else
  cat "$work/compose"
  failures=$((failures + 1))
fi

# -------------------------------------------------------------------------------------------------------------- result

if ((failures > 0)); then
  printf '%d checks failed.\n' "$failures"
  exit 1
fi
if ((${#missing[@]} > 0)); then
  printf 'No check failed; %d tools are missing.\n' "${#missing[@]}"
  exit "$EXIT_SKIPPED"
fi
printf 'All checks passed.\n'
