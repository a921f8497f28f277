"""What the Simple API and the upload API say, as plain values. Pure: no I/O, no clock, no environment.

Essential reading: PEP 503 (HTML), PEP 691 (JSON), PEP 700 (versions, size, upload-time), PEP 714 (metadata files),
PEP 592 (yanked), PEP 792 (project status), and the core metadata and file name specifications of the PyPA.
"""
