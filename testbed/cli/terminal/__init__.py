"""What commands print: tables, names of points, and the progress of a run."""
