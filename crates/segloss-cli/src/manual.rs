//! What shells and `man` want to know of the command line.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Args;
use crate::failure::Failure;

/// The script that completes the command's arguments in a shell.
pub(crate) fn completions(shell: Shell) -> String {
    let mut script = vec![];
    clap_complete::generate(shell, &mut Args::command(), "segloss", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The manual page, with the subcommands' pages after it.
pub(crate) fn page() -> Result<String, Failure> {
    let failure = |error: std::io::Error| Failure::new(format!("the manual page cannot be made: {error}"));
    let mut page = vec![];
    let mut command = Args::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(&mut page).map_err(failure)?;
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        clap_mangen::Man::new(subcommand.clone()).render(&mut page).map_err(failure)?;
    }
    Ok(String::from_utf8_lossy(&page).into_owned())
}
