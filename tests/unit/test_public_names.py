"""What ``from relapse_risk import ...`` gives."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import relapse_risk


def test_names_are_few_and_stay_what_they_are_when_every_module_is_imported() -> None:
    assert len(relapse_risk.__all__) <= 15
    first = {name: getattr(relapse_risk, name) for name in relapse_risk.__all__}
    for module in pkgutil.walk_packages(relapse_risk.__path__, "relapse_risk."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name, value in first.items():
        assert getattr(relapse_risk, name) is value
        assert callable(value)
        assert value.__doc__


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "{'pandas', 'lightgbm', 'sklearn', 'mlflow', 'pyarrow'}"
    code = f"import sys, relapse_risk; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
