"""All trials of a plan: where they are performed, and how a run resumes."""
