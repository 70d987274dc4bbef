//! Real pages, where they are at hand. The numbers were counted in the pages' markup by other means.

use std::path::{Path, PathBuf};

use polemic::thread::Thread;

use super::Read;

fn exports() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/exports");
    std::env::var_os("POLEMIC_EXPORTS").map_or(beside, PathBuf::from)
}

#[test]
fn real_pages_give_all_their_comments_at_their_depths() {
    let expected: [(&str, usize, &[usize]); 13] = [
        ("wordpress_html/blog.wordpress.com.diverse.html", 0, &[10, 2, 1]),
        ("wordpress_html/businessjargons.com.leadership.html", 0, &[6, 1, 1, 1]),
        ("wordpress_html/cubadebate.cu-sesiona.html", 0, &[5, 4, 2]),
        ("wordpress_html/exxpress.at-zaehne.html", 0, &[20, 5]),
        ("wordpress_html/foxyfolksy.com.buttercream.html", 0, &[39, 37, 3, 1]),
        ("wordpress_html/hearya.com.metal.html", 0, &[38]),
        ("wordpress_html/helge.at.mahu.html", 0, &[1]),
        ("wordpress_html/lemire.me.json.html", 0, &[3, 2]),
        ("wordpress_html/moritz-meyer.net.vreni.html", 16, &[11, 6, 2, 1]),
        ("wordpress_html/netzpolitik.org.abmahnungen.html", 0, &[36, 17, 10, 7, 4]),
        ("wpdiscuz_html/mein-mmo.de-MMORPG.html", 0, &[1]),
        ("wpdiscuz_html/spontis.de.jahrzehnt.html", 0, &[15]),
        ("wpdiscuz_html/transcribed-wpdiscuz7-two-comments.html", 0, &[1, 1]),
    ];
    for (name, pingbacks, depths) in expected {
        let path = exports().join(name);
        if !path.exists() {
            continue;
        }
        let read = Read::file(&path);
        assert_eq!(read.pingbacks, pingbacks, "{name}");
        for stated in &read.comments {
            let comment = &stated.comment;
            assert!(
                comment.author.is_some() && comment.created.is_some() && !comment.text.is_empty(),
                "{name}: {}",
                comment.id
            );
        }
        let (thread, repairs) = Thread::build(read.comments);
        assert!(repairs.is_empty(), "{name}");
        let at = |depth: usize| thread.comments.iter().filter(|comment| comment.depth as usize == depth).count();
        let found: Vec<usize> = (0..depths.len()).map(at).collect();
        assert_eq!((found.as_slice(), thread.comments.len()), (depths, depths.iter().sum()), "{name}");
    }
}
