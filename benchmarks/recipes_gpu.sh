#!/usr/bin/env bash
# Bag of Tricks against a plain softmax at full width on one GPU, in under four minutes: ResNet-50 on
# images of 256x128 of 200 synthetic people, with the same budget for both, from the weights of a
# first training on 200 others.
#
#   benchmarks/recipes_gpu.sh            # see recipes.py
#   benchmarks/recipes_gpu.sh --smoke    # on the CPU: that the script runs
set -uo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python}
work=(--device cuda --model resnet50 --height 256 --people 200 --epochs 10 --pretrain-epochs 10
    --pretrain-lr 0.00035 --batch 64 --lr 0.00035
    --workers 12)
limit=230
if [[ ${1:-} == --smoke ]]; then
    work=(--model osnet_x0_25 --height 64 --people 16 --epochs 1 --pretrain-epochs 1 --batch 16)
elif ! "$PYTHON" -c "import sys, torch; sys.exit(not torch.cuda.is_available())"; then
    echo "not measured (this machine has no CUDA; --smoke runs on the CPU)"
    exit 1
fi
timeout "$limit" "$PYTHON" -W ignore benchmarks/recipes.py --no-peer --seeds 1 --jobs 1 \
    --rows softmax bot "${work[@]}" || {
    status=$?
    echo "not measured (exit status $status)"
    exit "$status"
}
