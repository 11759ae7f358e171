"""The request's loaders: each gathers the keys of one tick and answers them with one statement."""

from aiodataloader import DataLoader

from loaders.dataloader import load_one, load_with_arguments
from subgraphs.context import Info, Resources
from subgraphs.telemetry import batch_span
from subgraphs.users.queries.account import accounts_by_id
from subgraphs.users.queries.weight import WeightPage, WeightRecord, newest_weights, weights_by_id, weights_by_user


class UsersLoaders:
    """One set an operation; named `<result>_by_<key>`."""

    def __init__(self, resources: Resources) -> None:
        read = resources.database.batch_reader
        self.account_by_id = load_one("account_by_id", read(accounts_by_id), batch_span)
        self.weight_by_id = load_one("weight_by_id", read(weights_by_id), batch_span)
        self.newest_weight_by_user = load_one("newest_weight_by_user", read(newest_weights), batch_span)
        self.weights_by_user: DataLoader[tuple[str, WeightPage], list[WeightRecord]] = load_with_arguments(
            "weights_by_user", read(weights_by_user), list, batch_span
        )


def loaders_of(info: Info) -> UsersLoaders:
    loaders: UsersLoaders = info.context.loaders
    return loaders
