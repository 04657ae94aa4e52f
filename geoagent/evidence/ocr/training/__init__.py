"""Training of the recogniser of lines that ships beside this package, `multiscript`, on text rendered for the purpose.

`geoagent train-reader` is the command. `texts` and `charset` collect words and characters, `fonts` and `render` draw
lines, `phrases`, `damage` and `samples` make them what a camera might see, `network`, `learner`, `stream` and `train`
train, `export` and `card` write the model, `validate` measures it. This is no OCR engine, and reading needs none of it.
"""
