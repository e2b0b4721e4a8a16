"""What every app stands on: base models, jobs, rights, lists, exports, the audit trail."""
