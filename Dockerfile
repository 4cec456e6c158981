# The tool itself as an image. `make self` builds it twice and shows that it comes out the same.
FROM python:3.11-slim
ARG SOURCE_DATE_EPOCH
ENV PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/verify-build
COPY requirements.lock ./
RUN pip install --no-cache-dir --no-compile --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY docs/verify-build.1 docs/
COPY verifier verifier
COPY fixtures fixtures
RUN pip install --no-cache-dir --no-compile --no-deps --no-build-isolation --no-index . \
 && rm -rf build ./*.egg-info
ENTRYPOINT ["verify-build"]
