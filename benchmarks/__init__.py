"""What is measured and compared, beside what is tested: ``make bench``, and the scripts that compare answers.

``python -m benchmarks`` measures; ``python -m benchmarks.compare_oracle``, ``.universal_grid`` and ``.concurrency``
compare. ``question`` is what is asked, ``peers`` and ``service`` are who is asked, ``index`` and ``worlds`` are what
they ask, ``warm``, ``cold``, ``load``, ``footprint`` and ``growth`` measure, ``figures`` is what they find, and
``report``, ``table`` and ``plot`` write it down.
"""
