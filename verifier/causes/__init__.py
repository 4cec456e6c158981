"""The catalogue: one module a cause, each with its page as docstring, in one explicit order.

Specific before general: what a cause claims is not offered to those after it.
"""

from __future__ import annotations

from typing import Final

from verifier.causes import (
    apt_lists,
    apt_log,
    apt_pkgcache,
    ar_timestamp,
    archive_in_run,
    attestation_manifest,
    build_arg_leak,
    builder_identity,
    cache_mount,
    config_created,
    context_leak,
    cpu_dependent,
    directory_mtime,
    embedded_timestamp,
    file_mtime,
    fontconfig_cache,
    generated_key,
    hostname,
    index_created_annotation,
    java_cacerts,
    kernel_state,
    layer_compression,
    ldconfig_aux_cache,
    local_tar_add,
    machine_id,
    media_type,
    missing_dockerignore,
    mount_point_entry,
    network_download,
    parallel_race,
    password_salt,
    platform_ambiguity,
    pyc_mtime,
    random_value,
    remote_add,
    shadow_lastchg,
    ssh_host_keys,
    temporary_name,
    unpinned_apk,
    unpinned_apt,
    unpinned_base,
    unpinned_cargo,
    unpinned_composer,
    unpinned_conda,
    unpinned_gem,
    unpinned_go,
    unpinned_npm,
    unpinned_pacman,
    unpinned_pecl,
    unpinned_pip,
    unpinned_rpm,
    unpinned_syntax,
    unpinned_toolchain,
    whiteout,
    zip_time,
)
from verifier.causes.cause import Cause

__all__ = ["CAUSES", "Cause", "cause_of"]

CAUSES: Final[tuple[Cause, ...]] = (
    # what is said about the image
    config_created.cause,
    index_created_annotation.cause,
    attestation_manifest.cause,
    media_type.cause,
    layer_compression.cause,
    builder_identity.cause,
    build_arg_leak.cause,
    # tar headers
    mount_point_entry.cause,
    whiteout.cause,
    directory_mtime.cause,
    file_mtime.cause,
    # files known by their path
    apt_log.cause,
    apt_pkgcache.cause,
    machine_id.cause,
    ssh_host_keys.cause,
    shadow_lastchg.cause,
    password_salt.cause,
    # files known by their format
    ldconfig_aux_cache.cause,
    java_cacerts.cause,
    fontconfig_cache.cause,
    pyc_mtime.cause,
    zip_time.cause,
    ar_timestamp.cause,
    archive_in_run.cause,
    generated_key.cause,
    # what may stand in any text
    embedded_timestamp.cause,
    random_value.cause,
    temporary_name.cause,
    # inputs
    apt_lists.cause,
    cpu_dependent.cause,
    kernel_state.cause,
    hostname.cause,
    parallel_race.cause,
    unpinned_base.cause,
    unpinned_syntax.cause,
    platform_ambiguity.cause,
    remote_add.cause,
    network_download.cause,
    unpinned_apt.cause,
    unpinned_apk.cause,
    unpinned_rpm.cause,
    unpinned_pacman.cause,
    unpinned_conda.cause,
    unpinned_pip.cause,
    unpinned_npm.cause,
    unpinned_gem.cause,
    unpinned_cargo.cause,
    unpinned_go.cause,
    unpinned_composer.cause,
    unpinned_pecl.cause,
    unpinned_toolchain.cause,
    cache_mount.cause,
    local_tar_add.cause,
    context_leak.cause,
    missing_dockerignore.cause,
)


def cause_of(slug: str) -> Cause:
    """Find a cause by its slug. Raises KeyError."""
    return {cause.slug: cause for cause in CAUSES}[slug]
