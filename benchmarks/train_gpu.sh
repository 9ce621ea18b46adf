#!/usr/bin/env bash
# Training on one GPU, in under four minutes: images a second against Torchreid's loop, the share of
# the time waiting for data, steps that do not wait for the device, and SyncBN on two processes.
#
#   PEER_PYTHON=peer/bin/python benchmarks/train_gpu.sh    # see train.py for that environment
#   PEER=FOLDER benchmarks/train_gpu.sh                    # Torchreid from a folder, by this Python
#   benchmarks/train_gpu.sh --smoke                        # on the CPU: that the script runs
#
# Rows that cannot be measured here are told as "not measured", with the reason. Aims on one H200
# with 16 cores: 4x for osnet_x1_0 at batch 64, 3x for resnet50, under 5 % of the time waiting.
set -uo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python}
peer=()
if [[ -n ${PEER_PYTHON:-} ]]; then
    peer=(--peer-python "$PEER_PYTHON")
elif [[ -n ${PEER:-} ]]; then
    peer=(--peer "$PEER")
else
    peer=(--no-peer)
    echo "torchreid: not measured (neither PEER_PYTHON nor PEER is set)"
fi

device=cuda
patience=1
osnet=osnet_x1_0:256x128:64 resnet=resnet50:256x128:64
amount=(--steps 30 --epochs 3 --rounds 1 --workers 12)
if [[ ${1:-} == --smoke ]]; then
    device=cpu
    patience=20  # a few steps on a few slow cores
    osnet=osnet_x0_25:64x32:8 resnet=osnet_x0_25:64x32:4
    amount=(--steps 2 --epochs 2 --rounds 1 --workers 1)
elif ! "$PYTHON" -c "import sys, torch; sys.exit(not torch.cuda.is_available())"; then
    echo "everything: not measured (this machine has no CUDA; --smoke runs on the CPU)"
    exit 1
fi

started=$SECONDS
status=0
# Each part has its share of the four minutes; one that takes longer is told, and the next one runs.
part() {
    local limit=$1 name=$2
    shift 2
    echo "== $name"
    timeout $((limit * patience)) "$@" || {
        echo "$name: not measured (exit status $?)"
        status=1
    }
}

part 55 "SyncBN on two processes" "$PYTHON" benchmarks/sync_bn.py --device "$device"
if [[ $device == cuda ]]; then
    part 25 "steps without a wait" "$PYTHON" -m pytest -q -p no:cacheprovider \
        tests/core/engine/test_finite.py tests/core/engine/test_prefetch.py -k "cuda or gpu"
else
    echo "== steps without a wait: not measured (no CUDA)"
fi
part 90 "osnet_x1_0" "$PYTHON" benchmarks/train.py --device "$device" --case "$osnet" \
    "${amount[@]}" "${peer[@]}"
part 60 "resnet50" "$PYTHON" benchmarks/train.py --device "$device" --case "$resnet" \
    "${amount[@]}" "${peer[@]}"
echo "took $((SECONDS - started)) s"
exit $status
