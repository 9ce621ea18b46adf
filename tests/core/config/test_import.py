import subprocess
import sys


def test_importing_the_package_imports_neither_yaml_nor_pydantic_nor_torch():
    code = (
        "import sys, reidcore.config;"
        "print([m for m in ('torch', 'numpy', 'yaml', 'pydantic') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_loading_a_configuration_needs_no_torch(tmp_path):
    code = (
        "import sys; from reidcore.config import read_config;"
        "assert read_config(None, ['train.lr=1']).config.train.lr == 1;"
        "print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
