"""linear_diabetes as a plain Keras script: numpy input, autolog, registration. Argument: epochs."""

import sys

import keras
import mlflow
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

epochs = int(sys.argv[1])
keras.utils.set_random_seed(1)
data = load_diabetes()
x, y = np.asarray(data.data, "float32"), np.asarray(data.target, "float32")
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=1)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.125, random_state=1)
standardize = keras.layers.Normalization()
standardize.adapt(x_train)
model = keras.Sequential([keras.Input((10,)), standardize, keras.layers.Dense(1)])
steps = epochs * -(-len(x_train) // 32)
schedule = keras.optimizers.schedules.CosineDecay(0.5, steps)
model.compile(optimizer=keras.optimizers.Adam(schedule), loss="mse", metrics=["mae"])

mlflow.set_experiment("linear_diabetes")
mlflow.tensorflow.autolog(registered_model_name="linear_diabetes")
with mlflow.start_run():
    model.fit(x_train, y_train, validation_data=(x_val, y_val), batch_size=32, epochs=epochs, verbose=2)
    print("test", model.evaluate(x_test, y_test, verbose=0))
