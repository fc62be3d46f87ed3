"""What `pipework doctor` looks for, one file each: what is read, and what that means."""
