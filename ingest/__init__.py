"""From files to an index: loaders, chunks, the build and its swap."""
