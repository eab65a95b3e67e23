"""PyTorch on the CPU with an ordinary loop: shuffled batches of tensors in memory, autograd, Adam, metrics."""

import time

import torch
from torch import nn

from rivals.cases import Case, serve

torch.set_num_threads(2)


class LastState(nn.Module):
    """A recurrent network's last hidden state."""

    def __init__(self, cell: str, inputs: int, units: int) -> None:
        super().__init__()
        self.net = {"simple": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell](inputs, units, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)[0][:, -1]


def build(case: Case) -> nn.Module:
    outputs = case.classes if case.classes > 2 else 1
    if case.family == "cnn":
        layers: list[nn.Module] = []
        channels, last = case.shape[-1], len(case.model["filters"]) - 1
        for i, filters in enumerate(case.model["filters"]):
            layers += [nn.Conv2d(channels, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters), nn.ReLU()]
            if i != last and (i + 1) % case.model.get("pool_every", 1) == 0:
                layers.append(nn.MaxPool2d(2))
            channels = filters
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, outputs))
    if case.family == "rnn":
        units = case.model["units"][0]
        return nn.Sequential(LastState(case.model["cell"], case.shape[-1], units), nn.Linear(units, outputs))
    return nn.Linear(case.shape[0], outputs)


def tensors(case: Case, split: int) -> tuple[torch.Tensor, torch.Tensor]:
    features, target = case.data(split)
    x = torch.from_numpy(features)
    if case.family == "cnn":
        x = x.permute(0, 3, 1, 2).contiguous()
    y = torch.from_numpy(target)
    return x, y.long() if case.classes > 2 else y.float()[:, None]


def correct(case: Case, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if case.classes == 0:
        return (outputs - y).abs().sum()
    if case.classes == 2:
        return ((outputs > 0) == (y > 0.5)).sum()
    return (outputs.argmax(1) == y).sum()


def train(case: Case) -> list[float]:
    torch.manual_seed(1)
    clock = [time.perf_counter()]
    model = build(case)
    losses = {0: nn.MSELoss(), 2: nn.BCEWithLogitsLoss()}
    loss_of = losses.get(case.classes, nn.CrossEntropyLoss())
    optimizer = torch.optim.Adam(model.parameters(), lr=case.learning_rate)
    x, y = tensors(case, 0)
    held_x, held_y = tensors(case, 1)
    for _ in range(case.rival_epochs):
        model.train()
        total = metric = 0.0
        for rows in torch.randperm(len(x)).split(case.batch_size):
            batch, target = x[rows], y[rows]
            optimizer.zero_grad()
            outputs = model(batch)
            loss = loss_of(outputs, target)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
            metric += float(correct(case, outputs.detach(), target))
        model.eval()
        with torch.no_grad():
            outputs = model(held_x)
            total += loss_of(outputs, held_y).item()
            metric += float(correct(case, outputs, held_y))
        clock.append(time.perf_counter())
    return clock


if __name__ == "__main__":
    serve(train)
