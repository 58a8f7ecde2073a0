#!/bin/sh
# Takes out of an image's Python environment what no documented feature needs: `slim.sh /app MODULE…`, in the build stage.
# At its end it imports the modules, so that a line too much stops the build, and only what they import is compiled.
set -eu
app=$1
shift
cd "$app"/lib/python3*/site-packages

# Programs of packages; the services are started with `python -m`.
find "$app/bin" -type f ! -name 'python*' -delete

# Tests of others, files for type checkers, NumPy's Fortran compiler, and what SQLAlchemy and Alembic have for developers.
find . -type d \( -name tests -o -path ./sqlalchemy/testing -o -path ./alembic/testing -o -path ./alembic/templates \
    -o -name __pycache__ \) -prune -exec rm -rf {} +
find . -type f -name '*.pyi' -delete
rm -rf numpy/f2py

# ONNX Runtime's converters, which want PyTorch anyway, what they are written with, and its library for programs in C:
# the Python module has all of it within itself.
if [ -d onnxruntime ]; then
    rm -rf onnxruntime/quantization onnxruntime/tools onnxruntime/transformers google flatbuffers
    rm -f onnxruntime/capi/libonnxruntime.so.1.*
fi

# AVIF, which no service accepts.
rm -rf PIL/_avif* pillow.libs/libavif*

if [ -d cv2 ]; then
    # RapidOCR's other engines, OpenCV's cascades, XML for Word documents.
    find rapidocr/inference_engine -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} +
    rm -rf cv2/data lxml

    # OpenCV is linked with FFmpeg and an OpenSSL of 2021 for it, 32 MB that only reading videos calls. Python wants every
    # name of them when it loads the module, so small libraries that have the names and nothing behind them take their
    # places. Strangers' files meet no video decoder, and no OpenSSL that nobody mends.
    readelf -VW cv2/cv2.abi3.so >/tmp/versions
    readelf -rW cv2/cv2.abi3.so >/tmp/symbols
    for library in opencv_python_headless.libs/libavcodec* opencv_python_headless.libs/libavformat* \
        opencv_python_headless.libs/libavutil* opencv_python_headless.libs/libswscale*; do
        name=${library##*/}
        version=$(awk -v file="$name" '/File:/ { its = $5 == file } its && /Name:/ { print $3 }' /tmp/versions)
        awk -v version="@$version" 'sub(version, "", $5) && !names[$5]++ { print ".globl " $5 "\n" $5 ":\nud2" }
            END { print ".section .note.GNU-stack" }' /tmp/symbols | as -o /tmp/names.o -
        echo "$version { *; };" >/tmp/version.map
        ld -shared -soname "$name" --version-script /tmp/version.map -o "$library" /tmp/names.o
    done
    cd opencv_python_headless.libs
    rm -f libswresample-* libvpx-* libcrypto-* libssl-* libdrm-*
    cd ..
fi

# The names of functions and lines, of which uvloop consists to nine tenths.
find . -name '*.so*' -type f ! -path './onnxruntime/*' -exec strip --strip-unneeded {} +

[ $# -eq 0 ] || "$app/bin/python" -c "import $(echo "$*" | sed 's/ /, /g')"
if [ -d cv2 ]; then # the first picture sets up every codec that OpenCV knows
    "$app/bin/python" -c "import cv2, numpy; cv2.imdecode(cv2.imencode('.png', numpy.zeros((8, 8), 'uint8'))[1], 0).shape"
fi
