"""Datasets: training data, generated from a recipe or recorded, stored in shards, read back.

recipe         what to draw from, as TOML          distributions  how a recipe writes them
drawing        one scenario from a recipe          traffic        its flows and their bursts
impairments        what goes wrong in it
store          shards of samples, with checksums   generation     simulate and store, resumable
inspection     what a data set holds, its noise    networks       real ones, and those held out
labeled        any data to learn from              conversion     recordings into shards
parquet        samples as tables, for others
"""
