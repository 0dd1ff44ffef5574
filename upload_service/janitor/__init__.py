"""The janitor: finishes or removes what crashes, expiry and deletions leave behind."""
