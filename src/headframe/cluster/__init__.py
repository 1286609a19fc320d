"""The scenario engine's shards on a Dask cluster: the same bits on any number of workers."""

from headframe.cluster.shards import on_cluster

__all__ = ["on_cluster"]
