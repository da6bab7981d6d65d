"""OMat24, sAlex and OMC25 as they lie on disk: `files` (folders of .aselmdb), `rows` (one row of JSON)."""
