"""The ledger: every verification leaves a record, in a file of this machine or in a registry that many share.

Records are only ever added. Nothing is locked for longer than one of them takes.
"""

from verifier.ledger.answers import contradicted
from verifier.ledger.artifacts import ArtifactLedger, ArtifactRepository
from verifier.ledger.local import LocalLedger

__all__ = ["ArtifactLedger", "ArtifactRepository", "LocalLedger", "contradicted"]
