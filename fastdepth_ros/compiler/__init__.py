"""Network table, weights and target in; a compiled module out. The only room that imports TVM's compiler."""
