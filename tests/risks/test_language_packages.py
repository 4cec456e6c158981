"""Packages of programming languages: versions, digests, lock files."""

from __future__ import annotations

import pytest

from tests.risks.dockerfiles import COMMIT, HEX, Case, fits

CASES = {
    "pip": Case("RUN pip install flask", fires=("unpinned-pip",)),
    "pip range": Case("RUN pip install 'flask>=3,<4'", fires=("unpinned-pip",)),
    "pip version": Case("RUN pip install --no-cache-dir flask==3.1.0", notes=("unpinned-pip",)),
    "pip upgrade": Case("RUN python3.12 -m pip install -U pip", fires=("unpinned-pip",), says="of `pip`"),
    "pip hashes": Case("RUN pip install --require-hashes -r requirements.txt", refuted=("unpinned-pip",)),
    "pip hashes by a variable of its own": Case(
        "RUN PIP_REQUIRE_HASHES=1 pip install -r r.txt", refuted=("unpinned-pip",)
    ),
    "pip hashes by ENV": Case("ENV PIP_REQUIRE_HASHES=1\nRUN pip install -r r.txt", refuted=("unpinned-pip",)),
    "pip file unknown": Case("RUN pip install -r requirements.txt", notes=("unpinned-pip",)),
    "pip file loose": Case(
        "RUN pip install -qr /tmp/requirements.txt",
        fires=("unpinned-pip",),
        context={"requirements.txt": "flask==3.0 # x\nrequests>=2\n"},
        says="does not pin `requests`",
    ),
    "pip file with versions": Case(
        "RUN pip install -r requirements.txt",
        notes=("unpinned-pip",),
        context={"requirements.txt": "--pre\nflask==3.0\n"},
    ),
    "pip file with digests": Case(
        "RUN pip install -r requirements.txt",
        refuted=("unpinned-pip",),
        context={"requirements.txt": f"flask==3.0 \\\n    --hash=sha256:{HEX}\n"},
    ),
    "pip project": Case("RUN pip install .", notes=("unpinned-pip",)),
    "pip project alone": Case("RUN pip install --no-deps ."),
    "pip git branch": Case("RUN pip install git+https://github.com/a/b@main", fires=("unpinned-pip",)),
    "pip git commit": Case(f"RUN pip install --no-deps git+https://github.com/a/b@{COMMIT}"),
    "pip without install": Case("RUN pip --version && pip config set a b && pip uninstall -y x && pip check"),
    "uv": Case("RUN uv pip install flask", fires=("unpinned-pip",)),
    "uv locked": Case("RUN uv sync --locked", refuted=("unpinned-pip",)),
    "uv not locked": Case("RUN uv sync", fires=("unpinned-pip",), context={"pyproject.toml": ""}),
    "poetry with its lock": Case(
        "RUN poetry install --no-root", refuted=("unpinned-pip",), context={"poetry.lock": ""}
    ),
    "npm": Case("RUN npm install -g yarn", fires=("unpinned-npm",)),
    "npm latest": Case("RUN npm i -g npm@latest", fires=("unpinned-npm",)),
    "npm range": Case("RUN npm i @angular/cli@^17", fires=("unpinned-npm",)),
    "npm version": Case("RUN npm install -g @angular/cli@17.3.2", notes=("unpinned-npm",)),
    "npm ci": Case("RUN npm ci --omit=dev", refuted=("unpinned-npm",)),
    "npm project": Case("RUN npm install", fires=("unpinned-npm",), context={"package.json": ""}),
    "npm project with its lock": Case("RUN npm install", notes=("unpinned-npm",), context={"package-lock.json": ""}),
    "npm run": Case("RUN npm run build && npm cache clean --force && npx tsc && npm test"),
    "yarn": Case("RUN yarn", fires=("unpinned-npm",), context={"package.json": ""}),
    "yarn frozen": Case("RUN yarn install --frozen-lockfile", refuted=("unpinned-npm",)),
    "yarn build": Case("RUN yarn build && yarn cache clean"),
    "pnpm frozen": Case("RUN pnpm i --frozen-lockfile", refuted=("unpinned-npm",)),
    "pnpm global": Case("RUN pnpm add -g turbo", fires=("unpinned-npm",)),
    "gem": Case("RUN gem install bundler", fires=("unpinned-gem",)),
    "gem version": Case("RUN gem install bundler:2.5.1 && gem install rake -v 13.0", notes=("unpinned-gem",)),
    "bundle frozen": Case('ENV BUNDLE_DEPLOYMENT="1"\nRUN bundle install', refuted=("unpinned-gem",)),
    "bundle config": Case("RUN bundle config set --local frozen true && bundle install", refuted=("unpinned-gem",)),
    "bundle": Case("RUN bundle install", fires=("unpinned-gem",), context={"Gemfile": ""}),
    "bundle exec": Case("RUN bundle exec rake assets:precompile"),
    "cargo install": Case("RUN cargo install cargo-chef", fires=("unpinned-cargo",)),
    "cargo install without its lock": Case(
        "RUN cargo install cargo-chef@0.1.67", fires=("unpinned-cargo",), says="without `--locked`"
    ),
    "cargo install locked": Case("RUN cargo install --locked cargo-chef@0.1.67"),
    "cargo build": Case("RUN cargo build --release", fires=("unpinned-cargo",), context={"Cargo.toml": ""}),
    "cargo build with its lock": Case(
        "RUN cargo build --release", notes=("unpinned-cargo",), context={"Cargo.lock": ""}
    ),
    "cargo build locked": Case("RUN cargo build --release --locked", refuted=("unpinned-cargo",)),
    "go latest": Case("RUN go install example.com/a@latest", fires=("unpinned-go",)),
    "go version": Case("RUN go install example.com/a@v1.2.3 && go build ./... && go mod download"),
    "go get": Case("RUN go get example.com/a", fires=("unpinned-go",)),
    "composer": Case("RUN composer require monolog/monolog", fires=("unpinned-composer",)),
    "composer lock": Case(
        "RUN composer install --no-dev", refuted=("unpinned-composer",), context={"composer.lock": ""}
    ),
    "composer without its lock": Case(
        "RUN composer install", fires=("unpinned-composer",), context={"composer.json": ""}
    ),
    "composer dump": Case("RUN composer dump-autoload -o && composer --version"),
    "pecl": Case("RUN pecl install redis && docker-php-ext-enable redis", fires=("unpinned-pecl",)),
    "pecl version": Case("RUN pecl install redis-6.0.2"),
    "rustup": Case("RUN rustup default stable", fires=("unpinned-toolchain",)),
    "rustup version": Case("RUN rustup toolchain install 1.85.0 && rustup target add x86_64-unknown-linux-musl"),
    "rustup nightly of a day": Case("RUN rustup default nightly-2025-01-01"),
    "nvm": Case("RUN nvm install --lts", fires=("unpinned-toolchain",)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_rule_fires_stays_silent_and_is_mended(case: Case) -> None:
    fits(case)
