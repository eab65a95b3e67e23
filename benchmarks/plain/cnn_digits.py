"""cnn_digits as a plain Keras script: numpy input, autolog, registration. Argument: epochs."""

import sys

import keras
import mlflow
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

epochs = int(sys.argv[1])
keras.utils.set_random_seed(1)
data = load_digits()
x, y = np.asarray(data.images[..., np.newaxis], "float32"), data.target
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=1)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.125, random_state=1)
layers = [keras.layers.Rescaling(1 / 16)]
for i, filters in enumerate((32, 64, 128)):
    layers += [keras.layers.Conv2D(filters, 3, padding="same", use_bias=False), keras.layers.BatchNormalization()]
    layers += [keras.layers.ReLU()]
    if i == 1:
        layers += [keras.layers.MaxPooling2D(2)]
    layers += [keras.layers.Dropout(0.3)]
layers = [*layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10, activation="softmax")]
model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
steps = epochs * -(-len(x_train) // 32)
schedule = keras.optimizers.schedules.CosineDecay(0.003, steps)
model.compile(optimizer=keras.optimizers.Adam(schedule), loss="sparse_categorical_crossentropy", metrics=["accuracy"])

mlflow.set_experiment("cnn_digits")
mlflow.tensorflow.autolog(registered_model_name="cnn_digits")
with mlflow.start_run():
    model.fit(x_train, y_train, validation_data=(x_val, y_val), batch_size=32, epochs=epochs, verbose=2)
    print("test", model.evaluate(x_test, y_test, verbose=0))
