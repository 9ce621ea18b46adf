#!/usr/bin/env bash
# One training on two hosts, played by two network namespaces of this machine.
#
# Each namespace has one process, a folder of its own and one address; all they share is a virtual
# cable. The run must end on both, with the same weights, and with files on the first alone.
#
#   benchmarks/two_hosts.sh [OVERRIDE...]      such as train.max_epoch=2
#
# Needs Linux, root, and `ip` of iproute2 (apt-get install iproute2). PYTHON is the interpreter that
# reidcore is installed for.

set -euo pipefail

python=${PYTHON:-python}
python=$(command -v "$python") || { echo "no interpreter $python: set PYTHON" >&2; exit 2; }
[[ $(uname) == Linux ]] || { echo "network namespaces are Linux's" >&2; exit 2; }
command -v ip >/dev/null || { echo "ip is missing: apt-get install iproute2" >&2; exit 2; }
[[ $(id -u) == 0 ]] || { echo "only root makes network namespaces: run it by sudo" >&2; exit 2; }

work=$(mktemp -d)
hosts=("reid-a-$$" "reid-b-$$")
addresses=(10.213.77.1 10.213.77.2)

clean_up() {
    for host in "${hosts[@]}"; do
        ip netns pids "$host" 2>/dev/null | xargs -r kill -9 || true
        ip netns delete "$host" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT

ip netns add "${hosts[0]}" || { echo "this machine lets nobody make namespaces" >&2; exit 2; }
ip netns add "${hosts[1]}"
ip link add cable0 netns "${hosts[0]}" type veth peer name cable1 netns "${hosts[1]}"
for number in 0 1; do
    ip -n "${hosts[number]}" address add "${addresses[number]}/24" dev "cable$number"
    ip -n "${hosts[number]}" link set "cable$number" up
    ip -n "${hosts[number]}" link set lo up
    mkdir "$work/host$number"
done

cat > "$work/digest.py" <<'PLUGIN'
"""Notes what each process has at the end of a run."""

import hashlib
from pathlib import Path

from reidcore import hookimpl


@hookimpl
def reid_run_end(engine):
    digest = hashlib.sha256()
    for value in engine.model.state_dict().values():
        digest.update(value.cpu().numpy().tobytes())
    Path("weights.sha256").write_text(digest.hexdigest())
PLUGIN

launch() {
    local number=$1
    shift
    cd "$work/host$number"
    # --local-addr and is_host, since the names of these hosts lead nowhere; the interface, since
    # gloo would look up such a name too.
    ip netns exec "${hosts[number]}" env OMP_NUM_THREADS=1 "GLOO_SOCKET_IFNAME=cable$number" \
        "$python" -m torch.distributed.run --nnodes=2 --nproc-per-node=1 \
        --rdzv-backend=c10d --rdzv-endpoint="${addresses[0]}:29400" --rdzv-id=two-hosts \
        --rdzv-conf="is_host=$([[ $number == 0 ]] && echo true || echo false)" \
        --local-addr="${addresses[number]}" \
        -m reidcore run quickstart -p ../digest.py --root "$work/data" use_gpu=false \
        data.workers=0 data.save_dir=log train.batch_size=16 train.max_epoch=1 \
        test.visrank=false synthetic.train_ids=16 synthetic.test_ids=8 "$@"
}

launch 1 "$@" > "$work/second.txt" 2>&1 &
second=$!
launch 0 "$@" || { echo "--- the second host said:" >&2; cat "$work/second.txt" >&2; exit 1; }
wait "$second" || { cat "$work/second.txt" >&2; exit 1; }

if ! cmp "$work"/host{0,1}/weights.sha256; then
    echo "FAILED: the hosts have other weights than one another" >&2
    exit 1
fi
[[ -f $work/host0/log/results.json ]] || { echo "FAILED: no record of the run" >&2; exit 1; }
[[ ! -e $work/host1/log ]] || { echo "FAILED: the second host wrote $(ls "$work/host1/log")" >&2; exit 1; }
echo "Both hosts ended with the same weights; the first one alone wrote."
