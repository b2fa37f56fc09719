"""One measurement each: a stand and its sizes go in, figures with a name come out."""
