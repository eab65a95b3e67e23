"""logistic_breast_cancer as a plain Keras script: numpy input, autolog, registration. Argument: epochs."""

import sys

import keras
import mlflow
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

epochs = int(sys.argv[1])
keras.utils.set_random_seed(1)
data = load_breast_cancer()
x, y = np.asarray(data.data, "float32"), np.asarray(data.target, "float32")
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=1)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.125, random_state=1)
standardize = keras.layers.Normalization()
standardize.adapt(x_train)
penalty = keras.regularizers.L2(0.001)
head = keras.layers.Dense(1, activation="sigmoid", kernel_regularizer=penalty)
model = keras.Sequential([keras.Input((30,)), standardize, head])
steps = epochs * -(-len(x_train) // 32)
schedule = keras.optimizers.schedules.CosineDecay(0.05, steps)
model.compile(optimizer=keras.optimizers.Adam(schedule), loss="binary_crossentropy", metrics=["accuracy"])

mlflow.set_experiment("logistic_breast_cancer")
mlflow.tensorflow.autolog(registered_model_name="logistic_breast_cancer")
with mlflow.start_run():
    model.fit(x_train, y_train, validation_data=(x_val, y_val), batch_size=32, epochs=epochs, verbose=2)
    print("test", model.evaluate(x_test, y_test, verbose=0))
