"""Files in and out of the register: label sheets (PDF), register tables (CSV, XLSX)."""
