"""The order of an epoch depends on (seed, epoch) alone."""

from pipeline.data.order import epoch_order


def test_order_is_a_permutation_and_repeats() -> None:
    order = epoch_order(1, 5, 100)
    assert sorted(order.tolist()) == list(range(100))
    assert (order == epoch_order(1, 5, 100)).all()


def test_seed_and_epoch_change_it() -> None:
    order = epoch_order(1, 5, 100)
    assert (order != epoch_order(1, 6, 100)).any()
    assert (order != epoch_order(2, 5, 100)).any()
