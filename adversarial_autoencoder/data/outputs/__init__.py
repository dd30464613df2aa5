"""Writes the results of a model in parts, to a file or folder that appears when it is whole.

    path = check_output("scores.csv", source="new.csv")            # before anything is computed
    with open_output(path) as output:                              # once more, and at the end
        for names, x in source:
            output.write({source.key: names, "score": scores_of(x)})

The suffix is the format. A column is an array whose first axis is that of the rows; of two axes,
such as codes, it becomes several columns of a CSV or Parquet file: z0, z1 and so on.

- `.csv`: text that a spreadsheet would run is escaped.
- `.parquet`: with the types of the columns.
- `.npz`: one array for each column.
- `.npy`: the array of one column, which `open_output(path, main="score")` names.
- a folder: PNG files of the column of images, `main`, named after the column `file`, or numbered.
"""

from adversarial_autoencoder.data.outputs.open_output import open_output
from adversarial_autoencoder.data.outputs.target import ARRAYS, FOLDER, TEXTS, check_output

__all__ = ["ARRAYS", "FOLDER", "TEXTS", "check_output", "open_output"]
